"""The page of one unit: its history, why it is not running, and its last screen."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from projections.cockpit import queries
from projections.cockpit.context import CockpitContext
from projections.cockpit.page import CockpitPage
from projections.cockpit.pages.campaign import require_campaign
from projections.cockpit.text.event_text import event_sentence
from projections.cockpit.text.formatting import count, percent, span
from projections.cockpit.url import PageUrl
from projections.http.reads.events import fact
from projections.http.reads.query_runner import READS
from projections.http.reads.unit import explain, unit_view
from service.domain.rejections import NotFound

HISTORY_LINES, PAYLOAD_CHARS, SCREEN_CHARS = 150, 4000, 24_000


class UnitEventLine(Struct, frozen=True, kw_only=True):
    """One line of a unit's history."""

    position: int
    at: datetime
    kind: str
    worker: str | None
    words: str
    actor: str = ""
    until: datetime | None = None


async def unit(context: CockpitContext, url: PageUrl) -> CockpitPage:
    """Return the page of one unit."""
    shown = await require_campaign(context, url.campaign)
    view = await unit_view(context.reader, url.campaign, url.unit, painted=True)
    if view is None:
        raise NotFound(f"there is no unit {url.unit!r} in {url.campaign}", field="unit", current=url.unit)
    lines, next_after = await history(context, url)
    facts = {
        "shown": shown,
        "unit": view,
        "lines": lines,
        "next": next_after,
        "why": None if view.state in ("running", "done") else await explain(context.reader, url.campaign, url.unit),
        "payload": indented(bytes(view.payload)),
        "screen": (view.screen or "")[-SCREEN_CHARS:],
        "clipped": len(view.screen or "") > SCREEN_CHARS,
    }
    return CockpitPage(template="unit.html", title=f"{view.key} · {view.campaign}", pane="campaigns", facts=facts)


async def history(context: CockpitContext, url: PageUrl) -> tuple[list[UnitEventLine], int | None]:
    """Return a page of the unit's history, heartbeats summed up by claim, and the position after which the next page begins."""
    after = url.number("after")
    rows = await context.reader.fetch(READS.story, url.campaign, url.unit, after, HISTORY_LINES)
    events = [fact({name: row[name] for name in FACT}) for row in rows]
    lines = [
        UnitEventLine(position=e.position, at=e.recorded_at, kind=e.kind, worker=e.worker, words=event_sentence(e), actor=e.actor)
        for e in events
    ]
    full = len(rows) == HISTORY_LINES
    last = events[-1].position if full else None
    beats = await queries.heartbeats_of(context.reader, url.campaign, url.unit)
    lines += [heartbeats(row) for row in beats if row["first"] > after and (last is None or row["first"] <= last)]
    return sorted(lines, key=lambda line: line.position), last


FACT = ("position", "kind", "campaign", "unit", "worker", "recorded_at", "correlation_id", "actor", "data")


def heartbeats(row: dict[str, Any]) -> UnitEventLine:
    """Return the heartbeats of one claim as one line."""
    length = (row["ended_at"] - row["begun_at"]).total_seconds()
    parts = [f"{count(row['beats'])} heartbeat{'s' if row['beats'] > 1 else ''} over {span(length)}"]
    if row["progress"] is not None:
        parts.append(f"progress {percent(row['progress'])}")
    if row["note"]:
        parts.append(f"“{row['note']}”")
    words = ", ".join(parts)
    return UnitEventLine(
        position=row["first"], at=row["begun_at"], kind="unit.heartbeat", worker=None, words=words, until=row["ended_at"]
    )


def indented(document: bytes) -> str:
    """Return a JSON document indented and cut to `PAYLOAD_CHARS`."""
    text = msgspec.json.format(document, indent=2).decode()
    return text if len(text) <= PAYLOAD_CHARS else text[:PAYLOAD_CHARS] + "\n…"
