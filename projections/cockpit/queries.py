"""Queries of the pages, beside the reads of the API."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec
from msgspec import Struct

from projections import store
from projections.http.reads.events import LogEvent, fact
from projections.http.reads.query_runner import READS, QueryRunner
from projections.store import CAMPAIGN, QUOTA
from projections.views.campaign.card import CampaignCard
from projections.views.campaign.view import CampaignView, campaign_view
from projections.views.quota.view import QuotaView, quota_view
from service.domain import ids
from service.store.db.queries import load

QUERIES = load("cockpit", package="projections")
SEARCHED_UNITS = 20_000
SEARCHED_EVENTS = 200_000


class CampaignOnPage(Struct, frozen=True):
    """A campaign with its card and its quota, at the database's time; *cursor* is its place in a list."""

    view: CampaignView
    card: CampaignCard
    quota: QuotaView | None
    at: datetime
    cursor: str = ""

    @property
    def until(self) -> datetime:
        """When it ended, or now."""
        return self.view.completed_at or self.view.cancelled_at or self.at

    @property
    def resume_at(self) -> datetime | None:
        """When the units that the quota holds back resume."""
        if self.quota is not None and self.quota.resume_at is not None:
            return self.quota.resume_at
        return self.card.resume_at


class ViewLag(Struct, frozen=True):
    """How far the views are behind the log."""

    at: datetime
    position: int
    head: int
    seconds: float


class ListRows(Struct, frozen=True):
    """Rows of a list, and the key after which the next page begins."""

    rows: list[dict[str, Any]]
    next: str | None


def campaign_on_page(row: asyncpg.Record, cursor: str = "") -> CampaignOnPage:
    """Return a row with a campaign's card."""
    card = CAMPAIGN.decode(row["card"])
    quota = None if row["quota"] is None else QUOTA.decode(row["quota"])
    at = row["at"]
    return CampaignOnPage(campaign_view(card, quota, at), card, None if quota is None else quota_view(quota), at, cursor)


async def campaign(source: QueryRunner, name: ids.CampaignName) -> CampaignOnPage | None:
    """Return one campaign."""
    row = await source.row(READS.campaign, name)
    return None if row is None else campaign_on_page(row)


async def campaigns(
    source: QueryRunner, order: str, after: str, state: str | None, text: str | None, labels: dict[str, str], limit: int
) -> list[CampaignOnPage]:
    """Return a page of campaigns."""
    encoded = msgspec.json.encode(labels).decode()
    rows = await source.fetch(QUERIES.campaigns, order, after, state, text, encoded, limit)
    return [campaign_on_page(row, row["cursor"]) for row in rows]


async def states(source: QueryRunner) -> dict[str, int]:
    """Return how many campaigns are in each state."""
    return {row["state"]: row["campaigns"] for row in await source.fetch(QUERIES.states)}


async def lag(source: QueryRunner) -> ViewLag:
    """Return how far the views are behind."""
    row = await source.row(store.QUERIES.lag)
    assert row is not None, "the migration made a live generation"
    oldest = row["oldest_at"]
    seconds = 0.0 if oldest is None else (row["at"] - oldest).total_seconds()
    return ViewLag(row["at"], row["position"], row["head"], seconds)


async def events_at(source: QueryRunner, positions: Sequence[int]) -> list[LogEvent]:
    """Return the events at some positions, newest first."""
    return [fact(row) for row in await source.fetch(QUERIES.decisions, positions)]


async def last_screens(source: QueryRunner, name: ids.CampaignName, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the end of the last screen of some units, by key."""
    return {row["key"]: dict(row) for row in await source.fetch(QUERIES.last_screens, name, keys)}


async def live(source: QueryRunner, name: ids.CampaignName, after: str, limit: int) -> ListRows:
    """Return which worker runs which unit."""
    rows = [dict(row) for row in await source.fetch(QUERIES.live, name, after, limit + 1)]
    return ListRows(rows[:limit], rows[limit - 1]["unit"] if len(rows) > limit else None)


async def campaigns_of_quota(source: QueryRunner, quota: ids.QuotaKey, limit: int) -> list[dict[str, Any]]:
    """Return campaigns that name a quota, those with most parked units first."""
    return [dict(row) for row in await source.fetch(QUERIES.campaigns_of_quota, quota, limit)]


async def units(
    source: QueryRunner, name: ids.CampaignName, after: str, state: str | None, text: str | None, limit: int
) -> ListRows:
    """Return the next units. A search looks at a bounded number of them, and says where to go on if it finds too few."""
    rows = [dict(row) for row in await source.fetch(QUERIES.units, name, after, state, text, limit + 1, SEARCHED_UNITS)]
    if len(rows) > limit:
        return ListRows(rows[:limit], rows[limit - 1]["key"])
    if text is None:
        return ListRows(rows, None)
    last = await source.row(QUERIES.last_searched, name, after, state, SEARCHED_UNITS)
    return ListRows(rows, None if last is None else last["key"])


async def series(source: QueryRunner, family: str, labels: Sequence[str]) -> asyncpg.Record | None:
    """Return one series."""
    return await source.row(QUERIES.series, family, labels)


async def families(source: QueryRunner, names: Sequence[str]) -> list[asyncpg.Record]:
    """Return the series of some families."""
    return await source.fetch(QUERIES.families, names)


async def levels(source: QueryRunner) -> dict[str, int]:
    """Return how many workers are at each level, and how many are draining or fenced."""
    return {row["level"]: row["workers"] for row in await source.fetch(QUERIES.levels)}


async def newest(source: QueryRunner, before: int, filters: Sequence[Any], limit: int) -> list[LogEvent]:
    """Return the newest events before a position that match (campaign, unit, worker, kinds), within a window of the log."""
    async with source.connection() as connection, connection.transaction(readonly=True):
        await connection.execute(READS.custom_plans)
        rows = await connection.fetch(QUERIES.newest, source.shard, before, max(before - SEARCHED_EVENTS, 1), *filters, limit)
    return [fact(row) for row in rows]


async def heartbeats_of(source: QueryRunner, name: ids.CampaignName, key: ids.UnitKey) -> list[dict[str, Any]]:
    """Return a summary of a unit's heartbeats, one row per claim."""
    return [dict(row) for row in await source.fetch(QUERIES.heartbeats_of_unit, name, key)]


async def open_plans(source: QueryRunner) -> int:
    """Return how many recovery plans wait for a decision."""
    row = await source.row(QUERIES.open_plans)
    return 0 if row is None else int(row[0])
