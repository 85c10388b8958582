"""The camera: a headless browser that visits the main pages at two widths, by day and by night."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDE, NARROW = 1280, 320
NIGHT = "night"
TALLEST, COLOURS = 1500, 96
PAGES: tuple[tuple[str, str, int, Literal["light", "dark"]], ...] = (
    ("cockpit-campaigns", "/", WIDE, "light"),
    ("cockpit-campaigns-dark", "/", WIDE, "dark"),
    ("cockpit-campaigns-phone", "/", NARROW, "light"),
    ("cockpit-night", f"/campaigns/{NIGHT}", WIDE, "light"),
    ("cockpit-night-report", f"/campaigns/{NIGHT}/report", WIDE, "light"),
    ("cockpit-campaign", "/campaigns/nightly-refactor", WIDE, "light"),
    ("cockpit-campaign-phone", "/campaigns/nightly-refactor", NARROW, "dark"),
    ("cockpit-report", "/campaigns/nightly-refactor/report", WIDE, "light"),
    ("cockpit-report-phone", "/campaigns/nightly-refactor/report", NARROW, "light"),
    ("cockpit-campaign-edit", "/campaigns/nightly-refactor?edit=1", WIDE, "light"),
    ("cockpit-campaign-retry", "/campaigns/nightly-refactor?retry=1", NARROW, "light"),
    ("cockpit-unit", "/campaigns/flaky-suite/units/billing%2Finvoice.py%23006", WIDE, "light"),
    ("cockpit-hostile", "/campaigns/hostile", WIDE, "light"),
    ("cockpit-workers", "/workers", WIDE, "light"),
    ("cockpit-worker-phone", "/workers/laptop-ada", NARROW, "light"),
    ("cockpit-events", "/events", WIDE, "light"),
    ("cockpit-events-phone", "/events", NARROW, "light"),
    ("cockpit-recovery", "/recovery", WIDE, "light"),
    ("cockpit-numbers", "/numbers", WIDE, "light"),
    ("cockpit-health", "/health", WIDE, "dark"),
)


@contextmanager
def browser() -> Iterator[Browser]:
    """Start Debian's browser."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield started
        started.close()


def shrink(taken: bytes, target: Path) -> None:
    """Write the upper part of a picture with as many colours as a page has."""
    with Image.open(BytesIO(taken)) as picture:
        upper = picture.convert("RGB").crop((0, 0, picture.width, min(picture.height, TALLEST)))
        upper.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(target, optimize=True)


def photograph(url: str, into: Path) -> Iterator[Path]:
    """Yield the path of each picture as it is taken."""
    with browser() as started:
        for name, path, width, scheme in PAGES:
            context = started.new_context(
                viewport={"width": width, "height": 800}, color_scheme=scheme, timezone_id="UTC", locale="en-GB"
            )
            page = context.new_page()
            page.goto(url + path)
            page.wait_for_selector("#live")
            page.wait_for_timeout(300)
            target = into / f"{name}.png"
            shrink(page.screenshot(full_page=True), target)
            context.close()
            yield target
