"""The newest events that this process wrote itself, so that its projector need not read them back."""

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
"""The kinds that a busy log consists of, which decode to what was encoded; a page with any other kind is read from the log."""


class RecentEvents:
    """At most *limit* committed events without a gap; emptied by an event that is not frequent."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._events: list[e.Recorded] = []

    def note(self, events: Sequence[e.Recorded]) -> None:
        """Add events that were just committed, in the order of the log."""
        events_so_far = self._events
        if events_so_far and events_so_far[-1].position + 1 != events[0].position:
            events_so_far.clear()
        events_so_far += events
        if len(events_so_far) > self._limit or any(type(event.body) not in FREQUENT for event in events):
            events_so_far.clear()

    def after(self, position: int) -> Sequence[e.Recorded]:
        """Return the events after *position*, none if the first of them is missing; the buffer is empty afterwards."""
        events, self._events = self._events, []
        first = position + 1 - events[0].position if events else 0
        return events[first:] if first >= 0 else ()

    def clear(self) -> None:
        """Forget everything."""
        self._events.clear()
