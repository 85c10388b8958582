"""What the Writer remembers: it asks Postgres again only for what another may have changed, and for what it has lost."""

from collections import Counter

import asyncpg
import pytest
from asyncpg.connection import LoggedQuery

from service.domain import commands as c
from service.domain import ids
from service.domain.state import State
from service.settings import Settings
from service.store.state import row_cache
from service.store.state.loader import QUERIES
from tests.refold import audit
from tests.replica import Replica, units
from tests.sample import BIRTH

ROWS = {QUERIES.held: "held", QUERIES.claims: "claims", QUERIES.workers: "workers", QUERIES.campaigns: "campaigns"}


class Asked:
    """Counts what one Writer asks for of what it may remember."""

    def __init__(self, replica: Replica) -> None:
        self.counts: Counter[str] = Counter()
        replica.connections[-1].add_query_logger(self._note)

    def _note(self, query: LoggedQuery) -> None:
        if query.query in ROWS:
            self.counts[ROWS[query.query]] += 1

    def taken(self) -> dict[str, int]:
        """Return the counts, and begin anew."""
        taken, self.counts = dict(self.counts), Counter()
        return taken


async def test_a_writer_asks_again_only_after_another_has_written(settings: Settings, pool: asyncpg.Pool) -> None:
    """B-CLAIM-4, A5: claims, their units, workers and campaigns are read once, and once more when they may have changed."""
    async with Replica(settings, "one") as one, Replica(settings, "two") as two:
        await one.campaign(units=units("a", "b", "c"))
        first, second = await one.claim("w", 2, "night")
        asked = Asked(one)
        await one.order(c.RecordHeartbeat(token=first.token))
        await one.order(c.CompleteUnit(token=first.token))
        assert asked.taken() == {}
        [third] = await two.claim("w", 1, "night")
        await one.order(c.CompleteUnit(token=second.token))
        assert asked.taken() == {"held": 1, "workers": 1, "campaigns": 1}
        await one.order(c.CompleteUnit(token=third.token))
        assert asked.taken() == {"held": 1}, "a claim of another is new to it"
    await audit(pool)


async def test_a_writer_forgets_what_a_failed_batch_has_touched(
    settings: Settings, pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    """A5: rows that were changed in memory and not in Postgres are read again."""
    async with Replica(settings) as one:
        await one.campaign(units=units("a", "b"))
        first, _ = await one.claim("w", 2, "night")
        await owner.execute("ALTER TABLE units ADD CONSTRAINT none_ends CHECK (state <> 'done')")
        with pytest.raises(asyncpg.CheckViolationError):
            await one.order(c.CompleteUnit(token=first.token))
        await owner.execute("ALTER TABLE units DROP CONSTRAINT none_ends")
        asked = Asked(one)
        await one.order(c.CompleteUnit(token=first.token))
        assert asked.taken() == {"held": 1, "workers": 1, "campaigns": 1}
    await audit(pool)


def test_the_row_cache_keeps_its_size_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """With more rows than that, those of the last batch alone stay."""
    monkeypatch.setattr(row_cache, "MAX_ROWS", 3)
    known = row_cache.RowCache()
    for position, names in enumerate((("a", "b"), ("b", "c"), ("d",)), start=1):
        state = State()
        for name in names:
            state.worker(ids.WorkerId(name), BIRTH)
        known.keep(state, position, BIRTH)
    assert set(known.at(3, BIRTH).workers) == {"b", "c", "d"}
    assert known.at(4, BIRTH).workers == {}
