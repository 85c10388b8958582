"""Every command on a unit in every state: what happens, or which refusal."""

import pytest

from service.domain import commands as c
from service.domain import ids
from service.domain.rejections import Conflict, NotFound, Rejection, StaleClaim
from tests.domain.scenario import (
    NIGHT,
    Scenario,
    Step,
    W,
    adding,
    after,
    beat,
    campaign,
    claim,
    claimed,
    clearing,
    expiring,
    failure,
    given,
    handing_back,
    order,
    parking,
    rested,
    revoking,
    spec,
    success,
    unparking,
)

BEGIN: tuple[Step, ...] = (campaign(max_attempts=2), adding(spec("p", group=1), spec("a", group=5), "bystander"))
HELD: tuple[Step, ...] = (*BEGIN, order(c.ParkUnit, "p"), order(c.CancelUnit, "p"), claimed("a", "t"))
STATES: dict[ids.UnitState, tuple[Step, ...]] = {
    "blocked": (campaign(), adding("p", spec("a", "p", group=5))),
    "ready": (*HELD, handing_back("t")),
    "delayed": (*HELD, failure("t")),
    "parked": (*HELD, parking("t")),
    "running": HELD,
    "done": (*HELD, success("t")),
    "quarantined": (*HELD, failure("t", retryable=False)),
    "skipped": (campaign(), adding("p", spec("a", "p", group=5)), order(c.QuarantineUnit, "p")),
    "cancelled": (*HELD, order(c.CancelUnit)),
}
COMMANDS: dict[str, c.Command] = {
    "retry": order(c.RetryUnit),
    "park": order(c.ParkUnit),
    "unpark": order(c.UnparkUnit),
    "quarantine": order(c.QuarantineUnit),
    "cancel": order(c.CancelUnit),
    "stop": order(c.StopUnit),
    "heartbeat": beat("t"),
    "complete": success("t"),
    "fail": failure("t"),
    "report a park": parking("t"),
    "release": handing_back("t"),
    "claim": claim(NIGHT),
    "import again": adding(spec("a", group=5, payload=b"1")),
    "clear": clearing("a"),
    "end rest": rested("a"),
    "end pause": unparking("a"),
    "expire": expiring("t"),
    "revoke": revoking("t"),
    "fence": c.FenceWorker(worker=W),
    "cancel campaign": c.CancelCampaign(name=NIGHT),
}

NO, STALE, NONE = Conflict, StaleClaim, NotFound
NOTHING = ""
Cell = str | type[Rejection]
ORDER = ("blocked", "ready", "delayed", "parked", "running", "done", "quarantined", "skipped", "cancelled")
TABLE: dict[str, tuple[Cell, ...]] = {
    "retry": (NO, NO, "retry_due", NO, NO, NO, "quarantine_cleared", NO, NO),
    "park": (NO, "parked", "parked", NO, "released parked", NO, NO, NO, NO),
    "unpark": (NO, NO, NO, "unparked", NO, NO, NO, NO, NO),
    "quarantine": ("quarantined", "quarantined", "quarantined", "quarantined", "released quarantined", NO, NO, NO, NO),
    "cancel": ("cancelled", "cancelled", "cancelled", "cancelled", "released cancelled", NO, "cancelled", NO, NO),
    "stop": (NO, NO, NO, NO, "released", NO, NO, NO, NO),
    "heartbeat": (NONE, STALE, STALE, STALE, "heartbeat", STALE, STALE, NONE, STALE),
    "complete": (NONE, STALE, STALE, STALE, "completed", NOTHING, STALE, NONE, STALE),
    "fail": (NONE, STALE, NOTHING, STALE, "attempt_failed retry_scheduled", STALE, STALE, NONE, STALE),
    "report a park": (NONE, STALE, STALE, NOTHING, "parked", STALE, STALE, NONE, STALE),
    "release": (NONE, NOTHING, STALE, STALE, "released", STALE, STALE, NONE, STALE),
    "claim": (NOTHING, "claimed", NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING),
    "import again": ("updated", NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, "updated", NOTHING),
    "clear": (NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, "quarantine_cleared", NOTHING, NOTHING),
    "end rest": (NOTHING, NOTHING, "retry_due", NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING),
    "end pause": (NOTHING, NOTHING, NOTHING, "unparked", NOTHING, NOTHING, NOTHING, NOTHING, NOTHING),
    "expire": (NOTHING, NOTHING, NOTHING, NOTHING, "lease_expired attempt_failed retry_scheduled", *[NOTHING] * 4),
    "revoke": (NOTHING, NOTHING, NOTHING, NOTHING, "attempt_failed retry_scheduled", *[NOTHING] * 4),
    "fence": (NONE, NOTHING, NOTHING, NOTHING, "released", NOTHING, NOTHING, NONE, NOTHING),
    "cancel campaign": (*["cancelled"] * 4, "released cancelled", NOTHING, "cancelled", NO, NOTHING),
}
CASES = [(name, state, cell) for name, row in TABLE.items() for state, cell in zip(ORDER, row, strict=True)]


def in_state(state: str) -> Scenario:
    """Return a story in which unit `a` is in *state* for long enough that all that is due is due."""
    story = given(*STATES[state])  # type: ignore[index]
    return story.given(after(hours=5))


def events_of_a(story: Scenario) -> str:
    """Return what the last decision did to unit `a`."""
    kinds = [event.body.kind for event in story.outcome.events if event.unit == "a" or event.body.kind == "units.updated"]
    return " ".join(kind.partition(".")[2] for kind in kinds)


@pytest.mark.parametrize("state", ORDER)
def test_the_stories_lead_to_their_states(state: str) -> None:
    assert in_state(state).unit().state == state


def test_the_table_is_complete() -> None:
    assert set(TABLE) == set(COMMANDS)
    assert set(ORDER) == set(ids.UNIT_STATES)


@pytest.mark.parametrize(("name", "state", "expected"), CASES, ids=[f"{name}-{state}" for name, state, _ in CASES])
def test_a_command_on_a_unit(name: str, state: str, expected: Cell) -> None:
    """B-UNIT-1, B-UNIT-3, B-UNIT-8, B-CLAIM-5: every command in every state."""
    story = in_state(state).when(COMMANDS[name])
    if isinstance(expected, str):
        assert story.outcome.rejection is None, story.outcome.rejection
        assert events_of_a(story) == expected
    else:
        story.refused(expected)
        assert events_of_a(story) == ("late_result" if expected is StaleClaim else "")
        assert story.unit().state == state
