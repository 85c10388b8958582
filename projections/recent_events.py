"""The end of the log as this process has written it: what its projector need not read back."""

from collections.abc import Sequence

from service.domain import events as e

FREQUENT: frozenset[type[e.Event]] = frozenset(
    {
        e.UnitClaimed,
        e.UnitHeartbeat,
        e.UnitCompleted,
        e.AttemptFailed,
        e.RetryScheduled,
        e.RetryDue,
        e.WorkerHeartbeat,
    }
)
"""What a busy log consists of: events that a fold finds equal, written and read. Whatever else it holds is read from it."""


class RecentEvents:
    """The newest committed events without a gap between them, *most* of them; empty after anything that is not frequent."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._events: list[e.Recorded] = []

    def note(self, events: Sequence[e.Recorded]) -> None:
        """Take in what was just committed, in the order of the log."""
        held = self._events
        if held and held[-1].position + 1 != events[0].position:
            held.clear()
        held += events
        if len(held) > self._most or any(type(event.body) not in FREQUENT for event in events):
            held.clear()

    def after(self, position: int) -> Sequence[e.Recorded]:
        """Hand over the events after *position*, none when the first of them is not here; nothing is kept."""
        held, self._events = self._events, []
        first = position + 1 - held[0].position if held else 0
        return held[first:] if first >= 0 else ()

    def clear(self) -> None:
        """Forget everything."""
        self._events.clear()
