"""Screenshots of every page of the cockpit with a headless browser, some at a second width or in dark colours."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from ops.cockpit.addresses import page_addresses

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
SAMPLE = {"name": "nightly-refactor", "key": "billing/invoice.py#000", "worker": "laptop-ada", "quota": "anthropic"}
"""Values for the parameters of pages, all of them in the scene."""
Picture = tuple[str, str, int, Literal["light", "dark"]]
VARIANTS: tuple[Picture, ...] = (
    ("cockpit-campaigns-dark", "/", WIDE, "dark"),
    ("cockpit-campaigns-phone", "/", NARROW, "light"),
    ("cockpit-night", f"/campaigns/{NIGHT}", WIDE, "light"),
    ("cockpit-night-report", f"/campaigns/{NIGHT}/report", WIDE, "light"),
    ("cockpit-campaign-phone", "/campaigns/nightly-refactor", NARROW, "dark"),
    ("cockpit-report-phone", "/campaigns/nightly-refactor/report", NARROW, "light"),
    ("cockpit-campaign-edit", "/campaigns/nightly-refactor?edit=1", WIDE, "light"),
    ("cockpit-campaign-retry", "/campaigns/nightly-refactor?retry=1", NARROW, "light"),
    ("cockpit-hostile", "/campaigns/hostile", WIDE, "light"),
    ("cockpit-worker-phone", "/workers/laptop-ada", NARROW, "light"),
    ("cockpit-events-phone", "/events", NARROW, "light"),
)
"""Pictures beside the one of every page."""


def picture_name(template: str) -> str:
    """Return the name of a page's picture: the last fixed part of its path, singular before a parameter.

    >>> [picture_name(template) for template in ("/", "/campaigns/{name:str}", "/campaigns/{name:str}/report", "/health")]
    ['cockpit-campaigns', 'cockpit-campaign', 'cockpit-report', 'cockpit-health']
    """
    parts = template.strip("/").split("/")
    if parts[-1].startswith("{"):
        return f"cockpit-{parts[-2].removesuffix('s')}"
    return f"cockpit-{parts[-1] or 'campaigns'}"


def pictures() -> list[Picture]:
    """Return one picture of every page, and the variants."""
    pages: list[Picture] = [(picture_name(page), path, WIDE, "light") for page, path in page_addresses(SAMPLE).items()]
    return [*pages, *VARIANTS]


@contextmanager
def browser() -> Iterator[Browser]:
    """Start Debian's browser."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield started
        started.close()


def shrink(taken: bytes, target: Path) -> None:
    """Write the upper part of a picture, reduced to the few colours that a page has."""
    with Image.open(BytesIO(taken)) as picture:
        upper = picture.convert("RGB").crop((0, 0, picture.width, min(picture.height, TALLEST)))
        upper.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(target, optimize=True)


def photograph(url: str, into: Path) -> Iterator[Path]:
    """Yield the path of each picture as it is taken."""
    with browser() as started:
        for name, path, width, scheme in pictures():
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
