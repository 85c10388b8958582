"""The leader's lease: one replica leads, another takes over, and duties end with the term."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from time import monotonic

import asyncpg
import msgspec
import pytest

from service.loops.leader import Leader, TermOver
from tests.replica import eventually

LEASE_S = 4.5
"""A sixth of it is what a query of the leader may take, also where everything is slow."""


class Duty:
    """A duty that notes who does it, and since when workers were heard."""

    def __init__(self) -> None:
        self.doing: list[str] = []
        self.most = 0
        self.heard: list[datetime] = []
        self.begun: list[float] = []

    def of(self, replica: str) -> Callable[[Callable[[], datetime]], Awaitable[None]]:
        """Return the duty as one replica does it."""

        async def run(heard_since: Callable[[], datetime]) -> None:
            self.doing.append(replica)
            self.most = max(self.most, len(self.doing))
            self.heard.append(heard_since())
            self.begun.append(monotonic())
            try:
                await asyncio.Event().wait()
            finally:
                self.doing.remove(replica)

        return run

    def done_by(self, *replicas: str) -> Callable[[], Awaitable[object]]:
        """Return the condition that exactly these do it."""

        async def holds() -> bool:
            return self.doing == list(replicas)

        return holds


@asynccontextmanager
async def status(pool: asyncpg.Pool, duty: Duty, name: str) -> AsyncIterator[Leader]:
    """Let one replica stand for leader."""
    leader = Leader(pool, name, LEASE_S, [duty.of(name)])
    task = asyncio.create_task(leader.run())
    yield leader
    task.cancel()
    await asyncio.wait([task])


async def test_one_of_three_leads_and_hands_over_when_it_stops(pool: asyncpg.Pool) -> None:
    """Work that must happen once."""
    duty = Duty()
    async with status(pool, duty, "one") as one:
        await eventually(duty.done_by("one"))
        async with status(pool, duty, "two") as two, status(pool, duty, "three") as three:
            await asyncio.sleep(LEASE_S)  # a lease long, nothing changes
            assert (one.leads, two.leads, three.leads) == (True, False, False)
            assert duty.doing == ["one"]
        assert one.term is not None
        until = one.term.until
    async with status(pool, duty, "four"):
        await eventually(duty.done_by("four"))
    assert duty.begun[-1] < until
    assert duty.most == 1


async def test_a_killed_leader_is_replaced_within_seconds_and_silence_restarts(pool: asyncpg.Pool) -> None:
    """Any replica takes over; a new term is a new time of hearing."""
    duty = Duty()
    killed = Leader(pool, "killed", LEASE_S, [])
    term = await killed._attempt()
    assert term is not None
    async with status(pool, duty, "heir"):
        await eventually(duty.done_by("heir"))
    assert term.until <= duty.begun[0] < term.until + 2 * LEASE_S
    assert duty.heard[0] > term.heard_since
    assert await killed._attempt() is not None


async def test_a_renewed_lease_keeps_its_time_of_hearing(pool: asyncpg.Pool) -> None:
    """No gap, nothing to begin anew."""
    leader = Leader(pool, "one", LEASE_S, [])
    terms = [await leader._attempt() for _ in range(3)]
    assert len({term.heard_since for term in terms if term is not None}) == 1
    assert None not in terms


async def test_a_leader_that_loses_its_lease_stops_its_duties(pool: asyncpg.Pool) -> None:
    """At most a renewal later."""
    duty = Duty()
    async with status(pool, duty, "one") as one:
        await eventually(duty.done_by("one"))
        await pool.execute("UPDATE leader SET replica = 'thief', until = clock_timestamp() + interval '1 hour'")
        await eventually(duty.done_by(), patience_s=LEASE_S)
        assert not one.leads
        await pool.execute("UPDATE leader SET until = clock_timestamp()")
        await eventually(duty.done_by("one"))
    assert len(set(duty.heard)) == 2


async def test_a_leader_that_cannot_renew_in_time_steps_down(pool: asyncpg.Pool) -> None:
    """Its lease may be another's before its own query comes back."""
    duty = Duty()
    async with status(pool, duty, "one") as one:
        await eventually(duty.done_by("one"))
        held = [await pool.acquire() for _ in range(pool.get_max_size())]
        await eventually(duty.done_by(), patience_s=LEASE_S)
        assert not one.leads
        for connection in held:
            await pool.release(connection)
        await eventually(duty.done_by("one"))


async def test_after_a_standstill_of_the_process_its_term_is_over_until_it_is_renewed(pool: asyncpg.Pool) -> None:
    """B-CLAIM-3: what was heard before is of the past; nobody is judged by it."""
    leader = Leader(pool, "one", LEASE_S, [])
    leader.term = term = await leader._attempt()
    assert term is not None
    assert 0 < term.until - monotonic() <= LEASE_S
    assert leader._heard_since() == term.heard_since
    leader.term = msgspec.structs.replace(term, until=monotonic() - 0.001)
    with pytest.raises(TermOver):
        leader._heard_since()


async def test_a_duty_that_ends_is_begun_again(pool: asyncpg.Pool) -> None:
    """A bug in one duty does not end the leader."""
    begun = 0

    async def stumbling(_heard_since: Callable[[], datetime]) -> None:
        nonlocal begun
        begun += 1
        raise ValueError("stumbled")

    task = asyncio.create_task(Leader(pool, "one", LEASE_S, [stumbling]).run())

    async def twice() -> bool:
        return begun >= 2

    await eventually(twice)
    task.cancel()
    await asyncio.wait([task])


CANCELLED = """
CREATE FUNCTION cancelled() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING ERRCODE = '57014'; END $$;
CREATE TRIGGER cancelled BEFORE UPDATE ON leader FOR EACH ROW EXECUTE FUNCTION cancelled();
"""


async def test_a_leader_whose_renewal_is_cancelled_steps_down_and_tries_again(
    pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    """SQLSTATE 57014 leaves open whose the lease is; the replica goes on."""
    duty = Duty()
    async with status(pool, duty, "one") as one:
        await eventually(duty.done_by("one"))
        await owner.execute(CANCELLED)
        await eventually(duty.done_by())
        assert not one.leads
        await owner.execute("DROP TRIGGER cancelled ON leader")
        await eventually(duty.done_by("one"))
