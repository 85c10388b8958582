"""Reads of the views; each may wait until the views have reached a position of the log."""

import os
from collections.abc import Sequence

import asyncpg
import msgspec
from msgspec import Raw

from projections.http.reads import investigation
from projections.http.reads.quarantine import matching_keys
from projections.http.reads.query_runner import READS, QueryRunner
from projections.http.reads.unit import unit_view
from projections.store import CAMPAIGN, ENGINE, QUOTA, WAVE, WORKER
from projections.views.campaign.view import CampaignView, campaign_view
from projections.views.engine import EngineCard
from projections.views.pause import PauseView
from projections.views.quota.view import EngineView, PoolView, QuotaView, quota_view
from projections.views.wave.view import WaveView, wave_view
from projections.views.worker.view import Offer, WorkerView, worker_view
from service.bulk_retry import QuarantineFilter
from service.domain import ids
from service.store.log import event_log

ALL_QUOTAS = 10_000
KEYS_OF_WAVE = 20
LABELS = msgspec.json.Decoder(dict[str, str])


class Reader(QueryRunner):
    """The views of one shard: as JSON for responses to commands, as values for reads."""

    async def campaign(self, name: ids.CampaignName, at_least: int | None = None) -> Raw | None:
        """Return the campaign view as JSON."""
        return as_json(await self.campaign_view(name, at_least))

    async def campaign_view(self, name: ids.CampaignName, at_least: int | None = None) -> CampaignView | None:
        """Return the campaign view."""
        row = await self.card(READS.campaign, name, at_least=at_least)
        return None if row is None else campaign_of(row)

    async def campaigns(
        self, after: str, state: str | None, labels: dict[str, str], present: Sequence[str], limit: int, at_least: int | None
    ) -> list[CampaignView]:
        """Return the next campaigns; *present* names labels that must exist with any value."""
        text = msgspec.json.encode(labels).decode()
        rows = await self.fetch(READS.campaigns, after, state, text, present, limit, at_least=at_least)
        return [campaign_of(row) for row in rows]

    async def waves(self, campaign: ids.CampaignName, after: int, limit: int, at_least: int | None) -> list[WaveView]:
        """Return the next waves of a campaign, each with its first units."""
        rows = await self.fetch(READS.waves, campaign, after, limit, KEYS_OF_WAVE, at_least=at_least)
        return [wave_view(WAVE.decode(row["card"]), row["keys"]) for row in rows]

    async def worker(self, worker: ids.WorkerId, at_least: int | None = None) -> Raw | None:
        """Return the worker view as JSON."""
        row = await self.card(READS.worker, worker, at_least=at_least)
        return as_json(None if row is None else worker_of(row, await self.offers()))

    async def workers(
        self, after: str, level: str | None, campaign: str | None, limit: int, at_least: int | None
    ) -> list[WorkerView]:
        """Return the next workers."""
        rows = await self.fetch(READS.workers, after, level, campaign, limit, at_least=at_least)
        offers = await self.offers()
        return [worker_of(row, offers) for row in rows]

    async def offers(self) -> list[Offer]:
        """Return the campaigns that would grant a unit to a worker with matching labels."""
        return [Offer(name, LABELS.decode(labels), ready_at) for name, labels, ready_at in await self.fetch(READS.offers)]

    async def quota(self, key: ids.QuotaKey, at_least: int | None = None) -> Raw | None:
        """Return one quota view as JSON."""
        row = await self.card(READS.quota, key, at_least=at_least)
        return as_json(None if row is None else quota_of(row))

    async def quotas(self, at_least: int | None = None) -> Raw:
        """Return every quota view, as a JSON array."""
        return Raw(msgspec.json.encode(await self.list_quotas("", ALL_QUOTAS, at_least)))

    async def list_quotas(self, after: str, limit: int, at_least: int | None) -> list[QuotaView]:
        """Return the next quotas."""
        return [quota_of(row) for row in await self.fetch(READS.quotas, after, limit, at_least=at_least)]

    async def engine(self, at_least: int | None = None) -> Raw:
        """Return the engine view as JSON."""
        async with self.connection(at_least) as connection:
            text = await connection.fetchval(READS.engine, self.shard)
            quotas = [quota_of(row) for row in await connection.fetch(READS.quotas, self.shard, "", ALL_QUOTAS)]
            head = await event_log.head(connection, self.shard)
        card = EngineCard() if text is None else ENGINE.decode(text)
        return Raw(msgspec.json.encode(engine_of(card, quotas, head)))

    async def unit(self, campaign: ids.CampaignName, key: ids.UnitKey, at_least: int | None = None) -> Raw | None:
        """Return the unit with its attempts, as JSON."""
        return as_json(await unit_view(self, campaign, key, at_least))

    async def investigation(self, known: ids.InvestigationId, at_least: int | None = None) -> Raw | None:
        """Return one investigation as JSON."""
        return as_json(await investigation.investigation(self, known, at_least))

    async def recovery(self, known: ids.RecoveryId, at_least: int | None = None) -> Raw | None:
        """Return one recovery plan as JSON."""
        return as_json(await investigation.recovery(self, known, at_least))

    async def keys(
        self, campaign: ids.CampaignName, where: QuarantineFilter, after: ids.UnitKey | None, limit: int
    ) -> list[ids.UnitKey]:
        """Return up to *limit* quarantined keys that match *where*, in order, after key *after*."""
        return await matching_keys(self, campaign, where, after, limit)


def as_json(value: object) -> Raw | None:
    """Return *value* as JSON, None for None."""
    return None if value is None else Raw(msgspec.json.encode(value))


def campaign_of(row: asyncpg.Record) -> CampaignView:
    """Return the view of a row of `campaign`."""
    quota = None if row["quota"] is None else QUOTA.decode(row["quota"])
    return campaign_view(CAMPAIGN.decode(row["card"]), quota, row["at"])


def worker_of(row: asyncpg.Record, offers: Sequence[Offer] = ()) -> WorkerView:
    """Return the view of a row of `worker`; *offers* are the campaigns with work."""
    return worker_view(WORKER.decode(row["card"]), row["at"], offers)


def quota_of(row: asyncpg.Record) -> QuotaView:
    """Return the view of a row of `quota`."""
    return quota_view(QUOTA.decode(row["card"]))


def engine_of(card: EngineCard, quotas: list[QuotaView], head: int) -> EngineView:
    """Return the engine view."""
    paused = card.paused_at is not None
    return EngineView(
        state="paused" if paused else "running",
        pool=PoolView(size=card.pool_size, in_use=card.in_use, advice=2 * (os.cpu_count() or 1)),
        paused=PauseView(reason=card.paused_reason, since=card.paused_at, by=card.paused_by)
        if card.paused_at is not None
        else None,
        quotas=quotas,
        leader=card.leader,
        position=head,
    )
