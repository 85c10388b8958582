"""The lines around the panes: the engine's state, the tabs, the subject, the keys."""

from datetime import datetime

from rich.text import Text

from service.client.api_types import ApiEngine
from service.terminal.formatting import bar, one_line
from service.terminal.top.snapshot import ScreenSnapshot

PANES = ("campaigns", "units", "workers", "quarantine", "events", "engine")
KEYS = "r retry  p pause  b breaker  R recovery  K fence  D diagnostics  ? help  q quit"
POOL_CELLS = 6


def engine_line(engine: ApiEngine | None, away: str | None, *, streaming: bool) -> Text:
    """Return the state of the engine, its pool and its closed gates in one line."""
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f" {datetime.now().astimezone():%H:%M:%S} ", style="bold")
    if away is not None:
        text.append(f" away, trying again · {away} ", style="bold white on red")
    if engine is None:
        return text
    text.append(f" engine {engine.state} ", style="bold black on yellow" if engine.paused else "green")
    pool = engine.pool
    text.append(f" pool {bar(pool.in_use / pool.size if pool.size else 0, POOL_CELLS)} {pool.in_use:,}/{pool.size:,} ")
    if away is None:
        text.append(" live " if streaming else " polling ", style="green" if streaming else "yellow")
    for quota in engine.quotas:
        if quota.gate != "open":
            until = "" if quota.resume_at is None else f" ~{quota.resume_at.astimezone():%H:%M}"
            text.append(f" {one_line(quota.key)} closed{until} ", style="yellow")
    return text


def tab_line(snapshot: ScreenSnapshot | None, current: str) -> Text:
    """Return the numbers and names of the panes."""
    counts = {} if snapshot is None else {"campaigns": len(snapshot.campaigns), "quarantine": quarantined_count(snapshot)}
    text = Text(no_wrap=True, overflow="ellipsis")
    for number, name in enumerate(PANES, 1):
        count = f" {counts[name]:,}" if counts.get(name) else ""
        text.append(f" {number} {name.capitalize()}{count} ", style="reverse bold" if name == current else "")
        text.append(" ")
    return text


def quarantined_count(snapshot: ScreenSnapshot) -> int:
    """Return how many units are quarantined in the campaigns of *snapshot*."""
    return sum(campaign.units.get("quarantined", 0) for campaign in snapshot.campaigns)
