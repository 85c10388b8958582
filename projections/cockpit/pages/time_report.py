"""The time report: where the time of a campaign went, the three largest causes, and what to do about each."""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from projections.cockpit.context import CockpitContext
from projections.cockpit.page import CockpitPage
from projections.cockpit.pages.campaign import failures, require_campaign
from projections.cockpit.queries import CampaignOnPage
from projections.cockpit.text import plot
from projections.cockpit.url import PageUrl
from projections.http.reads.time_accounting import time_account
from projections.views.campaign.time_account import Cause
from service.domain.rejections import Validation

LARGEST = 3
MINUTE = timedelta(minutes=1)
WINDOWS = {"12h": timedelta(hours=12), "24h": timedelta(hours=24)}


class Meaning(Struct, frozen=True):
    """A cause in words, and what to do when it is large."""

    name: str
    advice: str


MEANINGS: dict[Cause, Meaning] = {
    "working": Meaning("Working", "This is what the time is for. To finish sooner, make units smaller or workers faster."),
    "slot": Meaning(
        "Waiting for a slot",
        "Units were ready and no worker took them: start more workers, or raise concurrency or the pool size.",
    ),
    "backoff": Meaning(
        "Back-off",
        "Units waited for a retry after failures: see the failures below, then lower retry.backoff_ms or max_delay_ms.",
    ),
    "quota": Meaning(
        "Quota", "An external limit held units back: spread them over the day, ask for a larger quota, or use another one."
    ),
    "breaker": Meaning(
        "Breaker",
        "Automatic claims stopped after failures in a row: fix the cause, reset sooner, or raise the threshold.",
    ),
    "paused": Meaning("Paused", "A person paused the campaign or the engine, or switched claims off: resume when it is over."),
    "dead_worker": Meaning(
        "Dead worker", "Workers died while they held units: shorten lease_s or heartbeat.dead_s, and find out why they died."
    ),
    "group": Meaning("Earlier group", "Ready units waited for an earlier group to drain: merge groups, or set groups to none."),
    "dependency": Meaning(
        "Dependency", "Units waited for other units: remove dependencies, or give long units a higher priority."
    ),
}


async def report(context: CockpitContext, url: PageUrl) -> CockpitPage:
    """Return the report of a campaign over a window: a named one, one between two instants, or its whole life.

    Raises:
        Validation: the window ends before it begins.

    """
    shown = await require_campaign(context, url.campaign)
    begin, end = window(url, shown)
    if begin > end:
        raise Validation("the window begins after it ends", field="from")
    account = await time_account(context.reader, shown.view.name, begin, end)
    facts: dict[str, Any] = {
        "shown": shown,
        "account": account,
        "meanings": MEANINGS,
        "largest": [share for share in account.causes if share.us][:LARGEST],
        "windows": WINDOWS,
        "minute": MINUTE,
        "groups": await failures(context, shown),
        "progress": plot.progress(shown.card.timeline, shown.view.units.total, shown.until) if shown.card.timeline.done else None,
    }
    return CockpitPage(template="report.html", title=f"{shown.view.name} · report", pane="campaigns", facts=facts)


def window(url: PageUrl, shown: CampaignOnPage) -> tuple[datetime, datetime]:
    """Return the window of the query, within the life of the campaign if the two overlap."""
    end = min(instant(url.query_value("to")) or shown.until, shown.at)
    duration = WINDOWS.get(url.query_value("window"))
    begin = instant(url.query_value("from")) or (shown.view.created_at if duration is None else end - duration)
    return max(begin, shown.view.created_at) if end >= shown.view.created_at else begin, end


def instant(text: str) -> datetime | None:
    """Return a time, in UTC if it names no zone; None if it cannot be parsed."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
