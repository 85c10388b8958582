"""The breaker under racing replicas: no failure and no reset is lost."""

import asyncio

import asyncpg

from service.domain import commands as c
from service.domain import events as e
from service.settings import Settings
from tests.refold import audit, events
from tests.replica import NIGHT, Replica, units


async def test_a_failure_racing_a_reset_is_never_lost(settings: Settings, pool: asyncpg.Pool) -> None:
    """B-BREAK-1, B-BREAK-7: 2,000 failures on two replicas between resets on both."""
    rounds, width = 40, 50
    async with Replica(settings, "one") as one, Replica(settings, "two") as two:
        await one.campaign(
            units=units(*(f"u{n}" for n in range(width))),
            concurrency=width,
            max_claims=1000,
            max_attempts=10,
            breaker={"threshold": 1000},
            retry={"max_delay_ms": 100, "backoff_ms": 100},
        )
        for _ in range(rounds):
            grants = await one.claim("w", width, mode="manual")
            assert len(grants) == width
            failures = [
                (one, two)[n % 2].order(c.FailAttempt(token=grant.token, reason="crash")) for n, grant in enumerate(grants)
            ]
            for place in range(5, len(failures), 10):
                failures.insert(place, (two, one)[place % 2].order(c.ResetBreaker(name=NIGHT)))
            await asyncio.gather(*failures)
            await one.submit(*(c.RetryUnit(campaign=NIGHT, key=grant.key) for grant in grants))
            await one.submit(*(c.QuarantineUnit(campaign=NIGHT, key=grant.key) for grant in grants))
            await one.submit(c.ClearQuarantine(campaign=NIGHT, keys=tuple(grant.key for grant in grants), bulk_id="b"))
    state = await audit(pool)
    async with pool.acquire() as connection:
        log = await events(connection)
    failed = [event.position for event in log if isinstance(event.body, e.AttemptFailed)]
    resets = [event.position for event in log if isinstance(event.body, e.BreakerReset)]
    assert len(failed) == rounds * width
    assert len(resets) > rounds
    assert state.campaigns[NIGHT].consecutive == sum(position > resets[-1] for position in failed)
