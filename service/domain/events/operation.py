"""Events of the service itself."""

from service.domain.events.event import Event, Wakes


class LeaderElected(Event, frozen=True):
    """A replica took the leader's lease."""

    kind = "leader.elected"
    wakes = Wakes.NOTHING
    replica: str


class LogTrimmed(Event, frozen=True):
    """Heartbeats up to a position were dropped; what they added to the counters stays provable."""

    kind = "log.trimmed"
    wakes = Wakes.NOTHING
    from_position: int
    to_position: int
    heartbeats: int
    digest: str


class ProjectionSwapped(Event, frozen=True):
    """A rebuild replaced the views by *generation*, and something in it is smaller or corrected.

    *families* has for each family the label values of the series that got smaller: their counters restart here. *mended* names
    the first row of the state that differed from the log; replicas drop their cached rows.
    """

    kind = "projection.swapped"
    wakes = Wakes.NOTHING
    generation: int
    families: dict[str, tuple[tuple[str, ...], ...]]
    mended: str | None = None


class DiagnosticExported(Event, frozen=True):
    """Somebody took a bundle about a campaign; *sha256* is that of its bytes, *forced*: the last one was under a minute old."""

    kind = "diagnostic.exported"
    wakes = Wakes.NOTHING
    by: str
    sha256: str
    forced: bool = False
