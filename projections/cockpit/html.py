"""Rendering pages as HTML: templates, their filters, and the headers that keep foreign content out."""

import hashlib
import secrets
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from msgspec import Struct

from projections.cockpit.page import CockpitPage
from projections.cockpit.session import Flash
from projections.cockpit.text import ansi, formatting
from projections.cockpit.url import PageUrl, address

HERE = Path(__file__).parent
SECRET = f"@{secrets.token_hex(16)}@"
"""Placeholder for the session's secret in cached HTML, which sessions share; random, so that no foreign text can contain it."""
FIELD = "secret"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
MEDIA = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".txt": "text/plain"}
PANES = (
    ("campaigns", "Campaigns", "/"),
    ("workers", "Workers", "/workers"),
    ("events", "Events", "/events"),
    ("recovery", "Recovery", "/recovery"),
    ("numbers", "Numbers", "/numbers"),
    ("health", "Health", "/health"),
)
REFRESH_S = 15


class Asset(Struct, frozen=True):
    """A static file; its *version* is part of its address, so that browsers can cache it for ever."""

    body: bytes
    media: str
    version: str


def assets() -> dict[str, Asset]:
    """Return the static files by name."""
    by_name = {}
    for path in sorted((HERE / "static").rglob("*")):
        if path.is_file() and path.suffix in MEDIA:
            body = path.read_bytes()
            version = hashlib.sha256(body).hexdigest()[:16]
            by_name[path.name] = Asset(body, MEDIA[path.suffix], version)
    return by_name


ASSETS = assets()


def asset(name: str) -> str:
    """Return the address of a static file."""
    return address("static", name, v=ASSETS[name].version)


def environment() -> Environment:
    """Return the template environment with its filters and globals; every value is escaped."""
    templates = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    templates.filters.update(
        t=formatting.isolated,
        plain=formatting.plain,
        count=formatting.count,
        percent=formatting.percent,
        span=formatting.span,
        clock=formatting.clock,
        day=formatting.day,
        since=formatting.since,
        aged=formatting.aged,
        left=formatting.left,
        element_id=formatting.element_id,
        screen=ansi.screen_html,
    )
    templates.globals.update(
        address=address,
        asset=asset,
        quota_line=formatting.quota_line,
        panes=PANES,
        field=FIELD,
        secret=SECRET,
        refresh_s=REFRESH_S,
    )
    return templates


TEMPLATES = environment()


class RenderedPage(Struct, frozen=True):
    """A page as HTML without its shell; sessions share it."""

    title: str
    pane: str
    html: str
    status: int


def rendered_page(page: CockpitPage, url: PageUrl) -> RenderedPage:
    """Return a page rendered from its template."""
    common = {"url": url, "back": str(url), "pane": page.pane, "typed": page.typed, "problem": page.problem}
    html = TEMPLATES.get_template(page.template).render(page.facts, **common)
    return RenderedPage(page.title, page.pane, html, page.status)


def whole(page: RenderedPage, url: PageUrl, token: str, flash: Flash | None, *, still: bool = False) -> bytes:
    """Return the page within its shell, for one session; one that is *still* does not reload by itself."""
    return for_session("shell.html", page, token, flash=flash, url=url, still=still or bool(url.query_value("still")))


def fragment(page: RenderedPage, token: str, flash: Flash | None) -> bytes:
    """Return the part of a page that changes, for one session."""
    return for_session("fragment.html", page, token, flash=flash)


def for_session(template: str, page: RenderedPage, token: str, **facts: Any) -> bytes:  # noqa: ANN401 - whatever the template shows
    """Return a rendered page within a template, with the session's secret in its forms."""
    text = TEMPLATES.get_template(template).render(page=page, **facts)
    return text.replace(SECRET, token).encode("utf-8", "replace")
