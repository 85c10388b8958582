"""The views folded afresh in memory, at leisure, and held against those that are stored: reads only, and writes nothing."""

import asyncio
import json
from collections.abc import Iterator
from time import perf_counter
from typing import Any

import asyncpg
import msgspec
from msgspec import Struct

from projections import store
from projections.measures.series_store import SeriesStore
from projections.projector import ProjectionState
from projections.rebuild.diff import KEYS, Difference, differing
from projections.rebuild.run import SESSION
from projections.store import Checkpoint
from projections.views.fold import ReadModels
from service.store.db.queries import load
from service.store.log import event_log

VERIFY = load("verify", package="projections")
PAGE = 500
REST = 3.0
"""How much longer than a page took is rested after it: a fourth of one core at most, of the database's as well."""

Row = tuple[str, tuple[str, ...]]
"""A table and the key of a row."""


class RefoldResult(Struct, frozen=True):
    """What came of it: up to where, how many rows differ, and the first of them in one line."""

    position: int
    rows: int
    first: str | None


async def compare(dsn: str, shard: int = 0, rest: float = REST) -> RefoldResult:
    """Fold the log up to where the stored views are, and compare every card and series but the places of units."""
    connection = await asyncpg.connect(dsn, server_settings=SESSION)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            at = await store.live(connection, shard)
            stored = await stored_rows(connection, at)
        fold = ProjectionState(Checkpoint(shard, at.generation, 0), ReadModels(), SeriesStore())
        position = 0
        while position < at.position:
            started = perf_counter()
            page = await event_log.read(connection, shard, position, min(PAGE, at.position - position))
            fold.take(page)
            position += PAGE
            await asyncio.sleep((perf_counter() - started) * rest)
    finally:
        await connection.close()
    found = list(differences(stored, dict(folded_rows(fold))))
    return RefoldResult(at.position, len(found), found[0].line() if found else None)


async def stored_rows(connection: store.Session, at: Checkpoint) -> dict[Row, str]:
    """Return what is stored of a generation, as documents."""
    rows = await connection.fetch(VERIFY.cards, at.shard, at.generation)
    cards = {(table, tuple(key)): document for table, key, document in rows}
    return cards | dict(series_rows(await store.load_series(connection, at)))


def folded_rows(fold: ProjectionState) -> Iterator[tuple[Row, str]]:
    """Yield what a fold that was never saved holds, as documents."""
    cards = fold.cards
    if cards.touched.engine:
        yield ("engine_card", ()), store.text(cards.engine)
    for campaign, card in cards.campaigns.items():
        yield ("campaign_card", (campaign,)), store.text({"state": card.state, "labels": card.labels, "card": card})
    for worker, card_w in cards.workers.items():
        yield ("worker_card", (worker,)), store.text(card_w)
    for quota, card_q in cards.quotas.items():
        yield ("quota_card", (quota,)), store.text(card_q)
    for unit, card_u in cards.quarantine.items():
        yield ("quarantine_card", unit), store.text(card_u)
    for (name, wave), card_v in cards.waves.cards.items():
        yield ("wave_card", (name, str(wave))), store.text(card_v)
    yield from series_rows(fold.series_store)


def series_rows(series_store: SeriesStore) -> Iterator[tuple[Row, str]]:
    """Yield series as documents."""
    for (family, labels), series in series_store.series.items():
        yield ("series", (family, *labels)), msgspec.json.encode(series).decode()


def differences(stored: dict[Row, str], folded: dict[Row, str]) -> Iterator[Difference]:
    """Yield the first field of each row that is not the same."""
    for row in sorted(stored.keys() | folded.keys()):
        pair = stored.get(row), folded.get(row)
        if pair[0] != pair[1] and (None in pair or read(pair[0]) != read(pair[1])):
            yield differing(row[0], key_of(*row), *pair)


def key_of(table: str, key: tuple[str, ...]) -> dict[str, Any]:
    """Return the key of a row by the names of its columns."""
    return {"family": key[0], "labels": key[1:]} if table == "series" else dict(zip(KEYS.get(table, ()), key, strict=True))


def read(document: str | None) -> Any:  # noqa: ANN401 - any JSON
    """Return what a document says."""
    return json.loads(document or "null")
