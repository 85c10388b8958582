"""The page of one campaign: plots, failures by kind, running units, all units, decisions."""

from typing import Any, get_args

from msgspec import Struct

from projections.cockpit import policy_form, queries
from projections.cockpit.context import CockpitContext
from projections.cockpit.page import CockpitPage
from projections.cockpit.queries import CampaignOnPage
from projections.cockpit.text import plot
from projections.cockpit.text.ansi import last_lines
from projections.cockpit.text.event_text import event_sentence
from projections.cockpit.url import PageUrl
from projections.http.reads.quarantine import matching_keys
from projections.measures.catalogue import CATALOGUE
from projections.views.campaign.failure_groups import FailureGroup
from service.domain import ids
from service.domain.rejections import NotFound

UNITS, RUNNING, FAILURE_KINDS, DECISIONS, WAVES = 20, 15, 8, 15, 12
SCREEN_LINES, SCREEN_CHARS = 24, 2500
ATTEMPT_DURATIONS = "muster_campaign_attempt_duration_seconds"
CHUNK, MAX_COUNTED = 1000, 20_000


class FailureFilter(Struct, frozen=True):
    """The quarantined units that a retry matches."""

    reason: ids.QuarantineReason | None = None
    error_glob: str | None = None


async def require_campaign(context: CockpitContext, name: ids.CampaignName) -> CampaignOnPage:
    """Return a campaign.

    Raises:
        NotFound: there is none of that name.

    """
    campaign_on_page = await queries.campaign(context.reader, name)
    if campaign_on_page is None:
        raise NotFound(f"there is no campaign {name!r}", field="campaign", current=name)
    return campaign_on_page


async def campaign(context: CockpitContext, url: PageUrl) -> CockpitPage:
    """Return the page of one campaign."""
    shown = await require_campaign(context, url.campaign)
    name, timeline = shown.view.name, shown.card.timeline
    facts: dict[str, Any] = {
        "shown": shown,
        "progress": plot.progress(timeline, shown.view.units.total, shown.until) if timeline.done else None,
        "throughput": plot.throughput(timeline, shown.until) if timeline.done else None,
        "durations": await durations(context, name),
        "groups": await failures(context, shown),
        "live": await queries.live(context.reader, name, url.query_value("beside"), RUNNING),
        "units": await units(context, url),
        "waves": await context.reader.waves(name, url.number("wave"), WAVES + 1, None),
        "decisions": await decisions(context, shown),
        "labels": "\n".join(f"{name}={value}" for name, value in shown.view.labels.items()),
        "edit": policy_form.fields(shown.view.policy) if url.query_value("edit") else None,
        "retry": await retry(context, url, shown) if url.query_value("retry") else None,
    }
    return CockpitPage(template="campaign.html", title=str(name), pane="campaigns", facts=facts)


async def durations(context: CockpitContext, name: ids.CampaignName) -> plot.RenderedPlot | None:
    """Return the plot of how long the attempts of a campaign took."""
    row = await queries.series(context.reader, ATTEMPT_DURATIONS, [name])
    return None if row is None or not row["value"] else plot.durations(CATALOGUE[ATTEMPT_DURATIONS].buckets, row["buckets"])


async def failures(context: CockpitContext, shown: CampaignOnPage) -> list[dict[str, Any]]:
    """Return the largest kinds of failures, each with the last screen of its last unit."""
    groups = sorted(shown.card.failures, key=lambda group: -group.count)[:FAILURE_KINDS]
    screens = await queries.last_screens(context.reader, shown.view.name, [group.unit for group in groups])
    return [failure(group, screens.get(group.unit, {})) for group in groups]


def failure(group: FailureGroup, last: dict[str, Any]) -> dict[str, Any]:
    """Return what the template shows of one kind of failure."""
    screen = last_lines(last.get("screen") or "", SCREEN_LINES, SCREEN_CHARS).strip("\n")
    return {"group": group, "screen": screen, "error": last.get("error")}


async def units(context: CockpitContext, url: PageUrl) -> queries.ListRows:
    """Return the units that match the query."""
    state = url.word("state", ids.UNIT_STATES)
    return await queries.units(context.reader, url.campaign, url.query_value("after"), state, url.query_value("q") or None, UNITS)


async def decisions(context: CockpitContext, shown: CampaignOnPage) -> list[dict[str, Any]]:
    """Return the last decisions on the campaign as a whole."""
    events = await queries.events_at(context.reader, shown.card.decisions[-DECISIONS:])
    return [{"event": event, "words": event_sentence(event)} for event in events]


async def retry(context: CockpitContext, url: PageUrl, shown: CampaignOnPage) -> dict[str, Any]:
    """Return what a retry would match; it counts, and changes nothing."""
    reason: Any = url.word("reason", get_args(ids.QuarantineReason))
    glob = url.query_value("error") or None
    matched = shown.view.units.quarantined if reason is None else shown.view.quarantined_by_reason.get(reason, 0)
    if glob is not None:
        matched = await count_matching(context, shown.view.name, FailureFilter(reason, glob))
    return {"reason": reason, "error": glob, "matched": matched, "more": matched >= MAX_COUNTED}


async def count_matching(context: CockpitContext, name: ids.CampaignName, where: FailureFilter) -> int:
    """Return how many quarantined units match, counting no further than `MAX_COUNTED`."""
    matched, after = 0, None
    while matched < MAX_COUNTED:
        keys = await matching_keys(context.reader, name, where, after, CHUNK)
        matched += len(keys)
        if len(keys) < CHUNK:
            break
        after = keys[-1]
    return matched
