"""The tables of cards and series, such as the heartbeats of workers: loaded once, saved page by page as absolute values."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from asyncpg import Connection, Pool, Record
from asyncpg.pool import PoolConnectionProxy
from msgspec import Struct
from msgspec.structs import astuple

from projections.measures.catalogue import CATALOGUE
from projections.measures.series import Exemplar
from projections.measures.series_store import Key, Series, SeriesStore
from projections.views.campaign.card import CampaignCard
from projections.views.engine import EngineCard
from projections.views.fold import ReadModels
from projections.views.quota.card import QuotaCard
from projections.views.unit.quarantine import QuarantineCard
from projections.views.wave.card import FIRST, WaveCard, WaveId
from projections.views.worker.card import WorkerCard
from service.domain import ids
from service.domain.events import Recorded
from service.store.db.queries import load
from service.store.log.event_log import columns

QUERIES = load("projections", package="projections")
ENGINE = msgspec.json.Decoder(EngineCard)
CAMPAIGN = msgspec.json.Decoder(CampaignCard)
WORKER = msgspec.json.Decoder(WorkerCard)
QUOTA = msgspec.json.Decoder(QuotaCard)
WAVE = msgspec.json.Decoder(WaveCard)
EXEMPLARS = msgspec.json.Decoder(list[Exemplar | None])
EXPONENTIAL = msgspec.json.Decoder(dict[int, int])
QUARANTINED = msgspec.json.Decoder(QuarantineCard)

Session = Connection | PoolConnectionProxy
MOST_IMPORTS = 20


class Checkpoint(Struct, frozen=True):
    """How far a generation is folded."""

    shard: int
    generation: int
    position: int
    recorded_at: datetime | None = None


async def live(connection: Session | Pool, shard: int) -> Checkpoint:
    """Return the checkpoint of the generation that is read."""
    row = await connection.fetchrow(QUERIES.live, shard)
    assert row is not None, "the migration made a live generation"
    return Checkpoint(shard, row["generation"], row["position"], row["recorded_at"])


async def bound(connection: Session, shard: int, after: int, size: int) -> int:
    """Return the position up to which the next page may reach: none is longer than *size*, or brings more than some imports."""
    return int(await connection.fetchval(QUERIES.bound, shard, after, size, MOST_IMPORTS))


class Stored(Struct, frozen=True):
    """The cards of a generation as their tables hold them."""

    at: Checkpoint
    engine: str | None
    campaigns: list[Record]
    workers: list[Record]
    quotas: list[Record]

    def cards(self) -> ReadModels:
        """Return them decoded, which takes its time where they are many."""
        cards = ReadModels()
        cards.last_event_at = self.at.recorded_at
        cards.engine = EngineCard() if self.engine is None else ENGINE.decode(self.engine)
        cards.campaigns = {key: CAMPAIGN.decode(card) for key, card in self.campaigns}
        cards.workers = {key: WORKER.decode(card) for key, card in self.workers}
        cards.quotas = {key: QUOTA.decode(card) for key, card in self.quotas}
        return cards


async def stored_cards(connection: Session, at: Checkpoint) -> Stored:
    """Return all cards of a generation, but the quarantine, as they are stored."""
    where = at.shard, at.generation
    engine = await connection.fetchval(QUERIES.engine, *where)
    campaigns, workers, quotas = QUERIES.campaigns, QUERIES.workers, QUERIES.quotas
    found = [await connection.fetch(query, *where) for query in (campaigns, workers, quotas)]
    return Stored(at, engine, *found)


async def load_cards(connection: Session, at: Checkpoint) -> ReadModels:
    """Return all cards of a generation, but the quarantine."""
    return (await stored_cards(connection, at)).cards()


async def load_for(connection: Session, at: Checkpoint, cards: ReadModels, events: Sequence[Recorded]) -> None:
    """Load what the fold of *events* needs beside the cards that are always in memory."""
    if quarantined := cards.units_to_load(events):
        await load_quarantined(connection, at, cards, quarantined)
    if without_wave := cards.waves.units_to_load(events, cards.wave_count):
        await load_unit_waves(connection, at, cards, without_wave)
    if without_group := cards.time_accounts.units_to_load(events, cards.campaigns):
        await load_groups(connection, at, cards, without_group)
    if waves := cards.waves.waves_to_load(events, cards.wave_count):
        await load_waves(connection, at, cards, waves)


async def load_unit_waves(connection: Session, at: Checkpoint, cards: ReadModels, units: set[ids.UnitId]) -> None:
    """Load the waves of *units*."""
    found = await connection.fetch(QUERIES.unit_waves, at.shard, at.generation, *zip(*units, strict=True))
    cards.waves.wave_of |= dict.fromkeys(units, FIRST) | {(campaign, unit): wave for campaign, unit, wave in found}


async def load_groups(connection: Session, at: Checkpoint, cards: ReadModels, units: set[ids.UnitId]) -> None:
    """Load the groups of *units*."""
    found = await connection.fetch(QUERIES.groups, at.shard, at.generation, *zip(*units, strict=True))
    cards.time_accounts.groups |= dict.fromkeys(units, ids.DEFAULT_GROUP) | {
        (campaign, unit): group for campaign, unit, group in found
    }


async def load_waves(connection: Session, at: Checkpoint, cards: ReadModels, waves: set[WaveId]) -> None:
    """Load the cards of *waves*."""
    for (text,) in await connection.fetch(QUERIES.waves, at.shard, at.generation, *zip(*waves, strict=True)):
        card = WAVE.decode(text)
        cards.waves.cards[card.campaign, card.wave] = card


async def load_quarantined(connection: Session, at: Checkpoint, cards: ReadModels, quarantined: set[ids.UnitId]) -> None:
    """Load the cards of *quarantined* units."""
    campaigns, units = zip(*quarantined, strict=True)
    for (text,) in await connection.fetch(QUERIES.quarantined, at.shard, at.generation, campaigns, units):
        card = QUARANTINED.decode(text)
        cards.quarantine[card.campaign, card.key] = card


async def load_series(connection: Session, at: Checkpoint) -> SeriesStore:
    """Return all series of a generation."""
    return series_store_of(await connection.fetch(QUERIES.series, at.shard, at.generation))


async def stored_series(connection: Session, at: Checkpoint, named: Sequence[str], names: Sequence[str]) -> list[Record]:
    """Return the series of a generation as they are stored; of the families in *named* those whose first label is in *names*."""
    rows: list[Record] = await connection.fetch(QUERIES.shown_series, at.shard, at.generation, named, names)
    return rows


def series_store_of(rows: Iterable[Record]) -> SeriesStore:
    """Return the store of the series in *rows*."""
    series_store = SeriesStore()
    series_store.series = dict(map(series_of, rows))
    return series_store


def series_of(row: Record) -> tuple[Key, Series]:
    """Return a row of `series`."""
    family, labels, value, sum_us, buckets, created_at, position, exemplars, exponential = row
    known = CATALOGUE.get(family)
    blank: list[Exemplar | None] = [None] * len(buckets) if known is not None and known.exemplars else []
    kept = blank if exemplars is None else EXEMPLARS.decode(exemplars)
    counts = {} if exponential is None else EXPONENTIAL.decode(exponential)
    return (family, tuple(labels)), Series(created_at, position, value, sum_us, list(buckets), kept, counts)


async def advance(connection: Session, at: Checkpoint, position: int, recorded_at: datetime) -> bool:
    """Move the checkpoint, and tell whether it stood where this fold began and the log holds where it ends."""
    moved = await connection.fetchval(QUERIES.advance, at.shard, at.generation, at.position, position, recorded_at)
    return moved is not None


async def save_cards(connection: Session, at: Checkpoint, cards: ReadModels) -> None:
    """Write the cards that were touched."""
    where, touched = (at.shard, at.generation), cards.touched
    if touched.engine:
        await connection.execute(QUERIES.save_engine, *where, text(cards.engine))
    if touched.campaigns:
        campaigns = [cards.campaigns[key] for key in sorted(touched.campaigns)]
        rows = [(card.name, card.state, text(card.labels), text(card)) for card in campaigns]
        await connection.execute(QUERIES.save_campaigns, *where, *zip(*rows, strict=True))
    if touched.workers:
        rows_w = [(key, text(cards.workers[key])) for key in sorted(touched.workers)]
        await connection.execute(QUERIES.save_workers, *where, *zip(*rows_w, strict=True))
    if touched.quotas:
        rows_q = [(key, text(cards.quotas[key])) for key in sorted(touched.quotas)]
        await connection.execute(QUERIES.save_quotas, *where, *zip(*rows_q, strict=True))
    await save_quarantine(connection, at, cards)
    await save_waves(connection, at, cards)
    await save_time_accounts(connection, at, cards)


async def save_quarantine(connection: Session, at: Checkpoint, cards: ReadModels) -> None:
    """Write who came into quarantine, and remove who left it."""
    if cards.touched.cleared:
        await connection.execute(
            QUERIES.clear_quarantine, at.shard, at.generation, *zip(*sorted(cards.touched.cleared), strict=True)
        )
    if cards.quarantine:
        rows = [(*key, text(card)) for key, card in sorted(cards.quarantine.items())]
        await connection.execute(QUERIES.save_quarantine, at.shard, at.generation, *zip(*rows, strict=True))


async def save_waves(connection: Session, at: Checkpoint, cards: ReadModels) -> None:
    """Write the places of new units, and the waves that were touched."""
    waves = cards.waves
    if waves.unsaved_units:
        await connection.execute(QUERIES.save_unit_waves, at.shard, at.generation, *zip(*waves.unsaved_units, strict=True))
    if waves.touched:
        rows = [(*wave, text(waves.cards[wave])) for wave in sorted(waves.touched)]
        await connection.execute(QUERIES.save_waves, at.shard, at.generation, *zip(*rows, strict=True))


async def save_time_accounts(connection: Session, at: Checkpoint, cards: ReadModels) -> None:
    """Write the new rows of time accounts: groups of units, snapshots, dead times."""
    accounts = cards.time_accounts
    if accounts.memberships:
        await connection.execute(
            QUERIES.save_groups, at.shard, at.generation, *columns([astuple(row) for row in accounts.memberships])
        )
    if accounts.snapshots:
        rows = [(one.campaign, one.account.at_us, one.position, text(one)) for one in accounts.snapshots]
        await connection.execute(QUERIES.save_snapshots, at.shard, at.generation, *columns(rows))
    if accounts.dead_times:
        await connection.execute(
            QUERIES.save_dead_times, at.shard, at.generation, *columns([astuple(row) for row in accounts.dead_times])
        )


async def save_series(connection: Session, at: Checkpoint, series_store: SeriesStore) -> None:
    """Write the series that were touched."""
    if not series_store.touched:
        return
    rows = [series_columns(key, series_store.series[key]) for key in sorted(series_store.touched)]
    await connection.execute(QUERIES.save_series, at.shard, at.generation, *zip(*rows, strict=True))


def series_columns(key: Key, row: Series) -> tuple[Any, ...]:
    """Return a series as the columns of `save_series`."""
    family, labels = key
    exemplars = text(row.exemplars) if any(row.exemplars) else None
    exponential = text(row.exponential) if row.exponential else None
    where = row.created_at, row.position
    return family, array(labels), row.value, row.sum_us, array(row.buckets), *where, exemplars, exponential


def array(values: tuple[str, ...] | list[int]) -> str:
    r"""Return *values* as the text of a Postgres array.

    >>> print(array(('a"b', "c\\")), array([1, 2]))
    {"a\"b","c\\"} {"1","2"}
    """
    escaped = (str(value).replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in escaped) + "}"


def text(value: object) -> str:
    """Return *value* as the text of a jsonb column."""
    return msgspec.json.encode(value).decode()
