"""How campaigns are shown."""

from collections.abc import Iterator
from typing import Any

import msgspec

from service.client.api_types import UNIT_STATES, ApiCampaign
from service.terminal.formatting import (
    NOTHING,
    age,
    duration,
    labels_text,
    line_in_local_time,
    one_line,
    percent,
    segmented_bar,
    shortened,
    time_text,
)
from service.terminal.render.table import Column

BAR_CELLS, NARROW_CELLS, NARROW_NAME = 10, 8, 17


def headline(campaign: ApiCampaign) -> str:
    """Return the most urgent fact about a campaign, in the words of the API."""
    if campaign.over:
        return campaign.outcome or campaign.state
    if campaign.paused is not None:
        return f"paused {age(campaign.paused.since)}" + (
            f": {one_line(campaign.paused.reason)}" if campaign.paused.reason else ""
        )
    if campaign.breaker.line:
        return one_line(campaign.breaker.line)
    if campaign.quota_line:
        return line_in_local_time(campaign.quota_line)
    return campaign.state if campaign.auto else "auto off"


def progress(campaign: ApiCampaign, width: int) -> str:
    """Return a bar of the done, running, quarantined, and skipped or cancelled units, each with a character of its own."""
    units = campaign.units
    lost = units.get("skipped", 0) + units.get("cancelled", 0)
    parts = [("█", units.get("done", 0)), ("▒", units.get("running", 0)), ("!", units.get("quarantined", 0)), ("-", lost)]
    return segmented_bar(parts, units.get("total", 0), width)


def done_of_total(campaign: ApiCampaign) -> str:
    """Return the number of done units and of all units."""
    return f"{campaign.units.get('done', 0):,}/{campaign.units.get('total', 0):,}"


def state_count(campaign: ApiCampaign, state: str) -> str:
    """Return how many units are in *state*."""
    number = campaign.units.get(state, 0)
    return f"{number:,}" if number else NOTHING


def state_counts(campaign: ApiCampaign) -> str:
    """Return the number of units in each state."""
    return ", ".join(f"{campaign.units[state]:,} {state}" for state in UNIT_STATES if campaign.units.get(state))


def eta_text(campaign: ApiCampaign) -> str:
    """Return the estimated time left and the time of completion."""
    return NOTHING if campaign.eta is None else f"{duration(campaign.eta_s)} ~{campaign.eta.astimezone():%H:%M}"


def state_and_eta(campaign: ApiCampaign) -> str:
    """Return the headline, and for a running campaign the estimated completion."""
    text = headline(campaign)
    return f"{text} {eta_text(campaign)}" if text == "running" and campaign.eta is not None else text


NAME = Column[ApiCampaign]("campaign", lambda campaign: one_line(campaign.name))
STATE = Column[ApiCampaign]("state", headline)
DONE = Column[ApiCampaign]("done", done_of_total, right=True)
RUNNING = Column[ApiCampaign]("run", lambda campaign: state_count(campaign, "running"), right=True)
FAILED = Column[ApiCampaign]("fail", lambda campaign: state_count(campaign, "quarantined"), right=True)
PERCENT = Column[ApiCampaign]("%", lambda campaign: percent(campaign.progress), right=True)
ETA = Column[ApiCampaign]("eta", eta_text)
BAR = Column[ApiCampaign]("progress", lambda campaign: f"{progress(campaign, BAR_CELLS)} {percent(campaign.progress):>4}")

LIST = (NAME, PERCENT, DONE, RUNNING, FAILED, ETA, STATE)
LIVE = (NAME, BAR, DONE, RUNNING, FAILED, ETA, STATE)
NARROW = (
    Column[ApiCampaign]("campaign", lambda campaign: shortened(one_line(campaign.name), NARROW_NAME)),
    Column[ApiCampaign]("state", state_and_eta),
    Column[ApiCampaign]("progress", lambda campaign: f"{progress(campaign, NARROW_CELLS)} {percent(campaign.progress):>4}"),
    DONE,
    RUNNING,
    FAILED,
)
"""For 80 columns. The most urgent columns come first, because the last ones may be cut."""


def details(campaign: ApiCampaign) -> Iterator[tuple[str, str]]:
    """Yield every detail of a campaign."""
    yield "campaign", one_line(campaign.name)
    yield "title", one_line(campaign.title) if campaign.title else ""
    yield "state", campaign.state
    yield "outcome", campaign.outcome or ""
    yield "progress", f"{progress(campaign, 2 * BAR_CELLS)} {percent(campaign.progress)}  {done_of_total(campaign)}"
    yield "units", state_counts(campaign)
    yield "failed", ", ".join(f"{number:,} {one_line(reason)}" for reason, number in campaign.quarantined_by_reason.items())
    yield "throughput", "" if campaign.throughput_per_hour is None else f"{campaign.throughput_per_hour:,.1f} units per hour"
    yield "eta", eta_text(campaign)
    yield from blocking_details(campaign)
    yield "quota", one_line(campaign.quota) if campaign.quota else ""
    yield "labels", labels_text(campaign.labels)
    yield "created", time_text(campaign.created_at)
    yield "started", time_text(campaign.started_at)
    yield "deadline", time_text(campaign.deadline)
    yield "completed", time_text(campaign.completed_at)
    yield "version", str(campaign.version)
    yield "policy", " ".join(policy_options(campaign.policy))


def blocking_details(campaign: ApiCampaign) -> Iterator[tuple[str, str]]:
    """Yield what holds the campaign back."""
    breaker, paused = campaign.breaker, campaign.paused
    failures = f"{breaker.consecutive_failures} of {breaker.threshold} failures in a row"
    yield "breaker", one_line(breaker.line) if breaker.line else failures if breaker.threshold else ""
    yield "waits", line_in_local_time(campaign.quota_line)
    yield "auto", "" if campaign.auto else "off"
    if paused is not None:
        yield "paused", f"since {time_text(paused.since)} by {one_line(paused.by)}: {one_line(paused.reason)}"


def policy_options(policy: dict[str, Any], path: str = "") -> Iterator[str]:
    """Yield the fields of a policy as options of `--policy`.

    >>> list(policy_options({"max_attempts": 3, "retry": {"factor": 2.0}}))
    ['max_attempts=3', 'retry.factor=2.0']
    """
    for name, value in policy.items():
        if isinstance(value, dict):
            yield from policy_options(value, f"{path}{name}.")
        else:
            yield one_line(f"{path}{name}={value if isinstance(value, str) else msgspec.json.encode(value).decode()}")
