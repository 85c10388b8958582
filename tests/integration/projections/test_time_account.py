"""The account over any window is what the whole log says, however little of it is read."""

from datetime import timedelta
from random import Random

import asyncpg
import pytest

from projections.http.reads.query_runner import QueryRunner
from projections.http.reads.time_accounting import time_account
from projections.measures.process import Process
from projections.projector import Projector, load, step
from projections.store import live
from projections.views.time_accounts import snapshot
from service.store.log import event_log
from tests.histories import BEGIN, CAMPAIGNS, History
from tests.property.test_time_account_is_exact import expected_account, lifetimes_us

WINDOWS = 25


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_the_causes_of_any_window_are_those_of_the_whole_log_and_sum_to_the_lifetimes(
    pool: asyncpg.Pool, seed: int
) -> None:
    """Windows cut the marks anywhere, begin before the campaign and end after the last event."""
    history, luck = History(seed).grow(1500), Random(seed)
    async with pool.acquire() as connection:
        await event_log.append(connection, history.events)
        fold = await load(connection, await live(connection, 0))
        while await step(connection, fold, 1000):
            pass
        marks = await connection.fetchval("SELECT count(*) FROM ledger_mark")
    assert marks > len(CAMPAIGNS) + len(history.events) // snapshot.EVERY // 4
    source = QueryRunner(pool, Projector(pool, Process()))
    whole = (history.at - BEGIN).total_seconds()
    moments = [event.at for event in luck.sample(history.events, 10)]
    for turn in range(WINDOWS):
        ends = [luck.choice((luck.choice(moments), BEGIN + timedelta(seconds=luck.uniform(-9, whole + 60)))) for _ in range(2)]
        begin, end = (BEGIN, history.at) if turn == 0 else sorted(ends)
        for name in CAMPAIGNS:
            told = await time_account(source, name, begin, end)
            assert {share.cause: share.us for share in told.causes} == expected_account(history, name, begin, end).causes
            assert told.lifetime_us == lifetimes_us(history, name, begin, end)
