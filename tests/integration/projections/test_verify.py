"""The checker finds what is wrong, and nothing where nothing is."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from msgspec.structs import replace

from projections.verify import LogUnreadable, verify
from projections.verify.audit import LogAudit
from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.settings import Settings
from tests.fleet import Fleet, fleet
from tests.histories import History


@pytest.fixture
async def here(settings: Settings, pool: asyncpg.Pool) -> AsyncIterator[Fleet]:
    """A service with its projector."""
    async with fleet(settings, pool) as running:
        yield running


async def drained(here: Fleet) -> None:
    """Let a campaign run to its end."""
    await here.begin(*"abcdef", policy={"max_attempts": 1, "concurrency": 9, "breaker": {"threshold": 9}})
    claims = await here.claim(6)
    await here.order(*(c.CompleteUnit(token=claim.token) for claim in claims[:4]))
    await here.order(*(c.FailAttempt(token=claim.token, reason="crash") for claim in claims[4:]))
    await here.projector.at_least(here.position)


async def test_a_sound_installation_holds_every_invariant(here: Fleet, dsn: str) -> None:
    """A1, A2, A3, A4, A5, A6, A8, A11."""
    await drained(here)
    findings = await verify(dsn)
    assert [finding.invariant for finding in findings] == ["A1", "A2", "A3", "A4", "A5", "A6", "A8", "A11"]
    assert [finding.line() for finding in findings if finding.detail] == []


@pytest.mark.parametrize(
    ("tamper", "broken"),
    [
        ("DELETE FROM units WHERE key = 'a'", {"A2", "A5"}),
        ("UPDATE units SET error = 'none' WHERE key = 'f'", {"A5"}),
        ("UPDATE series SET value = value + 1 WHERE family = 'muster_events_total' AND labels = '{unit.claimed}'", {"A5", "A6"}),
    ],
)
async def test_a_table_that_was_tampered_with_is_found(here: Fleet, dsn: str, tamper: str, broken: set[str]) -> None:
    """A2, A5, A6."""
    await drained(here)
    owner = await asyncpg.connect(dsn)
    await owner.execute(tamper)
    await owner.close()
    assert {finding.invariant for finding in await verify(dsn) if finding.detail} == broken


@pytest.mark.parametrize(
    ("cut", "said"),
    [
        ("position = 4", "at position 5: position 5 follows 3"),
        ("position > 14", "the log ends at position 14, the views have seen 17"),
    ],
)
async def test_a_log_that_lost_events_is_broken_there_and_is_compared_with_nothing(
    here: Fleet, dsn: str, cut: str, said: str
) -> None:
    """A1, A5."""
    await drained(here)
    assert here.position == 17
    await tampered(dsn, f"DELETE FROM events WHERE {cut}")
    broken = {finding.invariant: finding.detail or "" for finding in await verify(dsn) if finding.detail}
    assert said in broken["A1"]
    assert "the log cannot be folded" in broken["A5"]


@pytest.mark.parametrize("table", ["events", "heartbeats"])
async def test_a_command_that_was_recorded_twice_is_found(here: Fleet, dsn: str, pool: asyncpg.Pool, table: str) -> None:
    """A4: one causation at two times, each the time of a decision."""
    await drained(here)
    for _ in ("its registration", "its first beat"):
        await here.order(c.BeatWorker(worker=ids.WorkerId("w-1")))
    await here.projector.at_least(here.position)
    first = await pool.fetchval("SELECT causation FROM events WHERE position = 1")
    last = await pool.fetchval(f"SELECT max(position) FROM {table}")
    await tampered(dsn, f"UPDATE {table} SET causation = '{first}' WHERE position = {last}")
    broken = {finding.invariant: finding.detail for finding in await verify(dsn) if finding.detail}
    assert broken == {"A4": f"command {first} is recorded at position 1, and again up to {last}"}


async def test_an_event_that_cannot_be_read_is_named(here: Fleet, dsn: str) -> None:
    await drained(here)
    await tampered(dsn, "UPDATE events SET data = '{}' WHERE position = 4")
    with pytest.raises(LogUnreadable, match=r"the event at position 4 cannot be read: .*missing required field"):
        await verify(dsn)


async def tampered(dsn: str, statement: str) -> None:
    """Do to the log what its triggers refuse."""
    owner = await asyncpg.connect(dsn)
    await owner.execute(f"SET session_replication_role = replica; {statement}")
    await owner.close()


@pytest.mark.parametrize("seed", range(20))
def test_real_histories_satisfy_every_invariant(seed: int) -> None:
    """A1, A3, A8, A11: whatever is ordered."""
    audit = LogAudit()
    audit.check(History(seed).grow(200).events)
    assert audit.violations == []


def mutated(kind: type[e.Event], **fields: object) -> list[str]:
    """Return which invariants a history breaks whose first event of *kind* was changed."""
    events = History(4).grow(300).events
    index = next(index for index, event in enumerate(events) if isinstance(event.body, kind))
    changed = replace(events[index], body=replace(events[index].body, **fields))
    audit = LogAudit()
    audit.check([*events[:index], changed, *events[index + 1 :]])
    return [violation.invariant for violation in audit.violations]


@pytest.mark.parametrize(
    ("kind", "fields", "invariant"),
    [
        (e.UnitClaimed, {"fence": 0}, "A3"),
        (e.UnitClaimed, {"attempt": 2}, "A8"),
        (e.UnitCompleted, {"token": ids.Token("stolen")}, "A3"),
        (e.UnitHeartbeat, {"token": ids.Token("stolen")}, "A3"),
        (e.UnitCompleted, {"attempt": 9}, "A8"),
        (e.AttemptFailed, {"attempt": 9}, "A8"),
        (e.RetryScheduled, {"delay_ms": 10**8}, "A8"),
        (e.UnitQuarantined, {"attempts": 9}, "A8"),
        (e.UnitQuarantined, {"reason": "max_claims"}, "A8"),
        (e.EngineResized, {"pool_size": 0}, "A11"),
    ],
)
def test_an_event_that_should_never_have_been_is_found(kind: type[e.Event], fields: dict[str, object], invariant: str) -> None:
    """The checker itself is tested: each mutant is caught."""
    assert invariant in mutated(kind, **fields)


def test_a_hole_in_the_log_and_a_clock_that_runs_back_are_found() -> None:
    """A1."""
    events = History(1).grow(30).events
    audit = LogAudit()
    audit.check([*events[:5], *events[6:9], events[2]])
    assert {violation.invariant for violation in audit.violations} >= {"A1"}
