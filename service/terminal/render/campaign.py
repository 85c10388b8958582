"""How campaigns look."""

from collections.abc import Iterator
from typing import Any

import msgspec

from service.client.api_types import ApiCampaign
from service.terminal.formatting import NOTHING, at, labels_text, line, local_line, percent, segments, short, since, span
from service.terminal.render.table import Column

BAR_CELLS, NARROW_CELLS, NARROW_NAME = 10, 8, 17
STATES = ("running", "ready", "delayed", "parked", "blocked", "quarantined", "skipped", "cancelled", "done")


def says(campaign: ApiCampaign) -> str:
    """Return what a tired person must know of a campaign first, in the words of the API."""
    if campaign.over:
        return campaign.outcome or campaign.state
    if campaign.paused is not None:
        return f"paused {since(campaign.paused.since)}" + (f": {line(campaign.paused.reason)}" if campaign.paused.reason else "")
    if campaign.breaker.line:
        return line(campaign.breaker.line)
    if campaign.quota_line:
        return local_line(campaign.quota_line)
    return campaign.state if campaign.auto else "auto off"


def progress(campaign: ApiCampaign, width: int) -> str:
    """Return how far it is: done, running, quarantined, skipped or cancelled, each with a mark of its own."""
    units = campaign.units
    lost = units.get("skipped", 0) + units.get("cancelled", 0)
    parts = [("█", units.get("done", 0)), ("▒", units.get("running", 0)), ("!", units.get("quarantined", 0)), ("-", lost)]
    return segments(parts, units.get("total", 0), width)


def done(campaign: ApiCampaign) -> str:
    """Return how many are done, of how many."""
    return f"{campaign.units.get('done', 0):,}/{campaign.units.get('total', 0):,}"


def count(campaign: ApiCampaign, state: str) -> str:
    """Return how many units are in *state*, nothing for none."""
    number = campaign.units.get(state, 0)
    return f"{number:,}" if number else NOTHING


def counts(campaign: ApiCampaign) -> str:
    """Return how many units are in which state."""
    return ", ".join(f"{campaign.units[state]:,} {state}" for state in STATES if campaign.units.get(state))


def eta(campaign: ApiCampaign) -> str:
    """Return how long it will take and when it will be over."""
    return NOTHING if campaign.eta is None else f"{span(campaign.eta_s)} ~{campaign.eta.astimezone():%H:%M}"


def stands(campaign: ApiCampaign) -> str:
    """Return its state, and when it will be over while it runs."""
    said = says(campaign)
    return f"{said} {eta(campaign)}" if said == "running" and campaign.eta is not None else said


NAME = Column[ApiCampaign]("campaign", lambda campaign: line(campaign.name))
STATE = Column[ApiCampaign]("state", says)
DONE = Column[ApiCampaign]("done", done, right=True)
RUNNING = Column[ApiCampaign]("run", lambda campaign: count(campaign, "running"), right=True)
FAILED = Column[ApiCampaign]("fail", lambda campaign: count(campaign, "quarantined"), right=True)
PERCENT = Column[ApiCampaign]("%", lambda campaign: percent(campaign.progress), right=True)
ETA = Column[ApiCampaign]("eta", eta)
BAR = Column[ApiCampaign]("progress", lambda campaign: f"{progress(campaign, BAR_CELLS)} {percent(campaign.progress):>4}")

LIST = (NAME, PERCENT, DONE, RUNNING, FAILED, ETA, STATE)
LIVE = (NAME, BAR, DONE, RUNNING, FAILED, ETA, STATE)
NARROW = (
    Column[ApiCampaign]("campaign", lambda campaign: short(line(campaign.name), NARROW_NAME)),
    Column[ApiCampaign]("state", stands),
    Column[ApiCampaign]("progress", lambda campaign: f"{progress(campaign, NARROW_CELLS)} {percent(campaign.progress):>4}"),
    DONE,
    RUNNING,
    FAILED,
)
"""For 80 columns: what must be read stands before what may be cut."""


def sheet(campaign: ApiCampaign) -> Iterator[tuple[str, str]]:
    """Yield what there is to know of a campaign."""
    yield "campaign", line(campaign.name)
    yield "title", line(campaign.title) if campaign.title else ""
    yield "state", campaign.state
    yield "outcome", campaign.outcome or ""
    yield "progress", f"{progress(campaign, 2 * BAR_CELLS)} {percent(campaign.progress)}  {done(campaign)}"
    yield "units", counts(campaign)
    yield "failed", ", ".join(f"{number:,} {line(reason)}" for reason, number in campaign.quarantined_by_reason.items())
    yield "throughput", "" if campaign.throughput_per_hour is None else f"{campaign.throughput_per_hour:,.1f} units per hour"
    yield "eta", eta(campaign)
    yield from standstill(campaign)
    yield "quota", line(campaign.quota) if campaign.quota else ""
    yield "labels", labels_text(campaign.labels)
    yield "created", at(campaign.created_at)
    yield "started", at(campaign.started_at)
    yield "deadline", at(campaign.deadline)
    yield "completed", at(campaign.completed_at)
    yield "version", str(campaign.version)
    yield "policy", " ".join(fields(campaign.policy))


def standstill(campaign: ApiCampaign) -> Iterator[tuple[str, str]]:
    """Yield what holds the campaign back."""
    breaker, paused = campaign.breaker, campaign.paused
    failures = f"{breaker.consecutive_failures} of {breaker.threshold} failures in a row"
    yield "breaker", line(breaker.line) if breaker.line else failures if breaker.threshold else ""
    yield "waits", local_line(campaign.quota_line)
    yield "auto", "" if campaign.auto else "off"
    if paused is not None:
        yield "paused", f"since {at(paused.since)} by {line(paused.by)}: {line(paused.reason)}"


def fields(policy: dict[str, Any], path: str = "") -> Iterator[str]:
    """Yield the fields of a policy as `--policy` takes them.

    >>> list(fields({"max_attempts": 3, "retry": {"factor": 2.0}}))
    ['max_attempts=3', 'retry.factor=2.0']
    """
    for name, value in policy.items():
        if isinstance(value, dict):
            yield from fields(value, f"{path}{name}.")
        else:
            yield line(f"{path}{name}={value if isinstance(value, str) else msgspec.json.encode(value).decode()}")
