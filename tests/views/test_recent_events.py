"""The tail of the log in memory: one run of events without a gap, or nothing."""

from projections.recent_events import RecentEvents
from service.domain import events as e
from service.domain import ids
from tests.domain.scenario import START


def beats(*positions: int) -> list[e.Recorded]:
    """Return a heartbeat at each position."""
    return [e.Recorded(position, START, e.WorkerHeartbeat(alive=True), worker=ids.WorkerId("w")) for position in positions]


def rare(position: int) -> e.Recorded:
    """Return an event that is seldom."""
    return e.Recorded(position, START, e.EnginePaused(reason=None, by="x"))


def test_what_follows_on_a_position_is_handed_over_once() -> None:
    tail = RecentEvents(limit=10)
    tail.note(beats(4, 5))
    tail.note(beats(6))
    assert tail.after(4) == beats(5, 6)
    assert not tail.after(4)


def test_nothing_is_handed_over_behind_a_gap() -> None:
    """Another replica wrote in between: the log is read."""
    tail = RecentEvents(limit=10)
    tail.note(beats(4))
    tail.note(beats(7, 8))
    assert not tail.after(3)
    tail.note(beats(7, 8))
    assert tail.after(6) == beats(7, 8)


def test_what_is_seldom_or_too_much_is_read_from_the_log() -> None:
    tail = RecentEvents(limit=3)
    tail.note([*beats(1), rare(2), *beats(3)])
    assert not tail.after(0)
    tail.note(beats(4, 5, 6, 7))
    assert not tail.after(3)
