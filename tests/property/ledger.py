"""An account of the log that is kept apart from the core: what every event may do, counted by hand.

The ledger knows the promises (`reliability.md`), not the code: each event is checked against what came before it.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, Struct, field

from service.domain import events as e
from service.domain.policy import Policy

OPEN = ("blocked", "ready", "delayed", "parked", "running")
CLOSED = ("quarantined", "skipped", "cancelled")


class Entry(Struct):
    """What the log says of one unit."""

    group: int
    parents: tuple[str, ...]
    state: str
    attempts: int = 0
    claims: int = 0
    fence: int = 0
    token: str | None = None
    held: bool = False
    given_up: bool = False
    run_without: bool = False

    def give_up(self, book: "Book") -> None:
        """Let dependents run without this unit, where the policy says so now."""
        self.given_up = self.given_up or (book.policy.on_dependency_failure == "run" and book.ended != "cancelled")
        self.run_without = self.run_without or self.given_up


class Book(Struct):
    """What the log says of one campaign."""

    policy: Policy
    auto: bool
    quota: str | None
    units: dict[str, Entry] = field(default_factory=dict)
    paused: bool = False
    ended: str | None = None
    failures: list[int] = field(default_factory=list)
    tripped: bool = False

    def count(self, *states: str) -> int:
        """Count units in *states*."""
        return sum(entry.state in states for entry in self.units.values())


class Ledger:
    """All campaigns, the engine, the gates and the levels, event by event."""

    def __init__(self) -> None:
        self.position = 0
        self.at: datetime | None = None
        self.books: dict[str, Book] = {}
        self.tokens: dict[str, tuple[str, str]] = {}
        self.pool = 1000
        self.engine_paused = False
        self.shut: set[str] = set()
        self.levels: dict[str, str] = defaultdict(lambda: "healthy")
        self.unfit: set[str] = set()

    @property
    def in_use(self) -> int:
        """The slots in use."""
        return sum(book.count("running") for book in self.books.values())

    def take(self, event: e.Recorded) -> None:
        """Check one event and count it."""
        self.position += 1
        assert event.position == self.position, "positions have no holes"
        assert self.at is None or event.at >= self.at, "time does not go back"
        self.at = event.at
        taker = TAKERS.get(type(event.body))
        if taker is not None:
            taker(self, event, event.body)

    def book(self, event: e.Recorded) -> Book:
        """Return the campaign of *event*."""
        assert event.campaign is not None
        return self.books[event.campaign]

    def entry(self, event: e.Recorded) -> Entry:
        """Return the unit of *event*."""
        assert event.unit is not None
        return self.book(event).units[event.unit]


def created(ledger: Ledger, _event: e.Recorded, body: e.CampaignCreated) -> None:
    assert body.name not in ledger.books
    ledger.books[body.name] = Book(body.policy, body.auto, body.quota)


def edited(ledger: Ledger, event: e.Recorded, body: e.CampaignEdited) -> None:
    book = ledger.book(event)
    for name, change in body.changes.items():
        if name == "policy":
            book.policy = msgspec.convert(change.new, Policy)
        elif name in ("auto", "quota"):
            setattr(book, name, change.new)


def paused(ledger: Ledger, event: e.Recorded, body: e.Event) -> None:
    ledger.book(event).paused = isinstance(body, e.CampaignPaused)


def tripped(ledger: Ledger, event: e.Recorded, body: e.BreakerTripped) -> None:
    book = ledger.book(event)
    assert not book.tripped, "a breaker trips once"
    assert len(book.failures) >= body.threshold == book.policy.breaker.threshold, "it trips at the threshold"
    assert list(body.failures) == book.failures[-len(body.failures) :], "it names the failures"
    book.tripped = True


def reset(ledger: Ledger, event: e.Recorded, body: e.BreakerReset) -> None:
    book = ledger.book(event)
    assert body.cause == "reset" or book.tripped
    book.tripped, book.failures = False, []


def completed_campaign(ledger: Ledger, event: e.Recorded, body: e.CampaignCompleted) -> None:
    book = ledger.book(event)
    assert book.ended is None
    assert book.units, "a campaign without units does not complete"
    assert not book.count(*OPEN), "nothing is open in a completed campaign"
    assert body.outcome == ("failed" if book.count("quarantined") else "achieved")
    book.ended = "completed"


def reopened(ledger: Ledger, event: e.Recorded, _body: e.Event) -> None:
    book = ledger.book(event)
    assert book.ended == "completed"
    book.ended = None


def cancelled_campaign(ledger: Ledger, event: e.Recorded, _body: e.Event) -> None:
    book = ledger.book(event)
    assert book.ended is None
    book.ended = "cancelled"


def added(ledger: Ledger, event: e.Recorded, body: e.UnitsAdded) -> None:
    book = ledger.book(event)
    assert book.ended is None
    for unit in body.units:
        assert unit.key not in book.units
        book.units[unit.key] = Entry(unit.group, unit.depends_on, "blocked" if unit.waits_for else "ready")
    for unit in body.units:
        open_parents = [parent for parent in unit.depends_on if waited_for(book, parent)]
        assert unit.waits_for == len(open_parents)


def waited_for(book: Book, key: str) -> bool:
    """Tell whether somebody who depends on *key* waits for it."""
    parent = book.units[key]
    return parent.state != "done" and not parent.given_up


def updated(ledger: Ledger, event: e.Recorded, body: e.UnitsUpdated) -> None:
    for patch in body.units:
        entry = ledger.book(event).units[patch.key]
        assert entry.token is None, "a started unit is left alone"
        entry.group = entry.group if patch.group is UNSET else patch.group


def claimed(ledger: Ledger, event: e.Recorded, body: e.UnitClaimed) -> None:
    book, entry = ledger.book(event), ledger.entry(event)
    assert body.token not in ledger.tokens, "a token is given once"
    assert body.fence > entry.fence, "fences grow"
    assert entry.state == "ready"
    assert body.attempt == entry.attempts + 1
    assert entry.claims < book.policy.max_claims or book.policy.max_claims < 4, "the claims of a unit are bounded"
    assert book.ended is None
    if body.mode == "auto":
        assert book.auto and not book.paused and not book.tripped, "no automatic claim against a switch"  # noqa: PT018
    assert not ledger.engine_paused
    assert event.worker not in ledger.unfit, "a drained or fenced worker gets nothing"
    assert book.quota not in ledger.shut, "nothing passes a closed gate"
    assert book.count("running") < book.policy.concurrency, "concurrency is exact"
    assert ledger.in_use < ledger.pool, "the pool is exact"
    early = [parent for parent in entry.parents if waited_for(book, parent) and not book.units[parent].run_without]
    assert not early, "nothing runs before what it depends on"
    if book.policy.groups == "ordered":
        earlier = [other for other in book.units.values() if other.group < entry.group]
        assert not any(other.state in ("ready", "delayed", "parked", "running") for other in earlier), "groups run in order"
    assert event.unit is not None
    assert event.campaign is not None
    ledger.tokens[body.token] = event.campaign, event.unit
    entry.state, entry.token, entry.fence, entry.held = "running", body.token, body.fence, True
    entry.attempts, entry.claims = entry.attempts + 1, entry.claims + 1


def under_token(ledger: Ledger, event: e.Recorded, token: str) -> Entry:
    """Return the unit, which *token* must hold now."""
    entry = ledger.entry(event)
    assert ledger.tokens[token] == (event.campaign, event.unit)
    assert entry.token == token, "no report counts under a superseded token"
    assert entry.held, "no report counts after the claim ended"
    return entry


def beaten(ledger: Ledger, event: e.Recorded, body: e.UnitHeartbeat) -> None:
    under_token(ledger, event, body.token)


def completed(ledger: Ledger, event: e.Recorded, body: e.UnitCompleted) -> None:
    book, entry = ledger.book(event), ledger.entry(event)
    assert entry.token == body.token, "no success counts under a superseded token"
    assert entry.state in OPEN, "a final state stays"
    assert entry.state == body.was
    entry.state, entry.held = "done", False
    entry.attempts = max(entry.attempts, body.attempt)
    book.failures = []


def failed(ledger: Ledger, event: e.Recorded, body: e.AttemptFailed) -> None:
    entry, book = under_token(ledger, event, body.token), ledger.book(event)
    assert body.attempt == entry.attempts
    entry.held = False
    if book.policy.breaker.counts == "attempts":
        book.failures.append(event.position)


def delayed(ledger: Ledger, event: e.Recorded, body: e.RetryScheduled) -> None:
    entry, policy = ledger.entry(event), ledger.book(event).policy
    assert entry.state == "running"
    assert not entry.held
    assert entry.attempts < policy.max_attempts
    assert body.after_attempt == entry.attempts
    assert 0 <= body.delay_ms <= policy.retry.max_delay_ms
    entry.state = "delayed"


def quarantined(ledger: Ledger, event: e.Recorded, body: e.UnitQuarantined) -> None:
    entry, book = ledger.entry(event), ledger.book(event)
    assert entry.state == body.was
    assert entry.state in OPEN
    assert not entry.held
    assert body.attempts == entry.attempts
    if body.reason == "max_attempts":
        assert entry.attempts >= book.policy.max_attempts
    if body.reason == "max_claims":
        assert entry.claims >= book.policy.max_claims
    entry.state = "quarantined"
    if book.policy.breaker.counts == "units" and body.reason != "manual":
        book.failures.append(event.position)
    entry.give_up(book)


def cleared(ledger: Ledger, event: e.Recorded, body: e.QuarantineCleared) -> None:
    entry = ledger.entry(event)
    assert entry.state == "quarantined"
    entry.attempts = entry.claims = 0
    entry.state, entry.given_up = body.to, False


def parked(ledger: Ledger, event: e.Recorded, body: e.UnitParked) -> None:
    entry = ledger.entry(event) if body.token is None else under_token(ledger, event, body.token)
    assert entry.state == body.was
    assert entry.state in ("running", "ready", "delayed")
    assert entry.held == (entry.state == "running")
    entry.attempts -= entry.held
    entry.state, entry.held = "parked", False


def released(ledger: Ledger, event: e.Recorded, body: e.UnitReleased) -> None:
    entry = under_token(ledger, event, body.token)
    entry.attempts -= 1
    entry.state, entry.held = "ready", False


def moved(*allowed: str, to: str) -> Callable[[Ledger, e.Recorded, Any], None]:
    """Return the taker of a mere change of state."""

    def take(ledger: Ledger, event: e.Recorded, body: Any) -> None:  # noqa: ANN401 - of any kind
        entry = ledger.entry(event)
        assert entry.state in allowed
        assert not entry.held
        assert getattr(body, "was", entry.state) == entry.state
        entry.state = getattr(body, "to", to)

    return take


def given_up(*allowed: str, to: str) -> Callable[[Ledger, e.Recorded, Any], None]:
    """Return the taker of an end that is not done."""
    move = moved(*allowed, to=to)

    def take(ledger: Ledger, event: e.Recorded, body: Any) -> None:  # noqa: ANN401 - of any kind
        move(ledger, event, body)
        book = ledger.book(event)
        entry = ledger.entry(event)
        entry.give_up(book)
        if isinstance(body, e.UnitSkipped):
            assert body.path[0] == body.because_of, "the path begins at the cause"
            assert body.path[-1] == event.unit
            assert any(book.units[parent].state in CLOSED for parent in entry.parents)

    return take


def unskipped(ledger: Ledger, event: e.Recorded, body: e.UnitUnskipped) -> None:
    moved("skipped", to="blocked")(ledger, event, body)
    ledger.entry(event).given_up = False


def level(ledger: Ledger, event: e.Recorded, body: e.LevelChanged) -> None:
    assert event.worker is not None
    assert body.from_ == ledger.levels[event.worker] != body.to, "a level changes once"
    assert body.age >= 0
    ledger.levels[event.worker] = body.to


def fitness(ledger: Ledger, event: e.Recorded, body: e.Event) -> None:
    assert event.worker is not None
    if isinstance(body, e.WorkerDeregistered):
        ledger.unfit.discard(event.worker)
        ledger.levels[event.worker] = "healthy"
    else:
        ledger.unfit.add(event.worker)


def gate(ledger: Ledger, _event: e.Recorded, body: e.QuotaGateClosed | e.QuotaGateOpened) -> None:
    if isinstance(body, e.QuotaGateClosed):
        ledger.shut.add(body.key)
    else:
        ledger.shut.remove(body.key)


def engine(ledger: Ledger, _event: e.Recorded, body: e.Event) -> None:
    assert ledger.engine_paused != isinstance(body, e.EnginePaused), "pausing twice is one pause"
    ledger.engine_paused = isinstance(body, e.EnginePaused)


def resized(ledger: Ledger, _event: e.Recorded, body: e.EngineResized) -> None:
    ledger.pool = body.pool_size


TAKERS: dict[type[e.Event], Callable[[Ledger, e.Recorded, Any], None]] = {
    e.CampaignCreated: created,
    e.CampaignEdited: edited,
    e.CampaignPaused: paused,
    e.CampaignResumed: paused,
    e.BreakerTripped: tripped,
    e.BreakerReset: reset,
    e.CampaignCompleted: completed_campaign,
    e.CampaignReopened: reopened,
    e.CampaignCancelled: cancelled_campaign,
    e.UnitsAdded: added,
    e.UnitsUpdated: updated,
    e.UnitClaimed: claimed,
    e.UnitHeartbeat: beaten,
    e.UnitCompleted: completed,
    e.AttemptFailed: failed,
    e.RetryScheduled: delayed,
    e.RetryDue: moved("delayed", to="ready"),
    e.UnitQuarantined: quarantined,
    e.QuarantineCleared: cleared,
    e.UnitParked: parked,
    e.UnitUnparked: moved("parked", to="ready"),
    e.UnitReleased: released,
    e.UnitUnblocked: moved("blocked", to="ready"),
    e.UnitSkipped: given_up("blocked", to="skipped"),
    e.UnitUnskipped: unskipped,
    e.UnitCancelled: given_up("blocked", "ready", "delayed", "parked", "quarantined", to="cancelled"),
    e.LevelChanged: level,
    e.WorkerDraining: fitness,
    e.WorkerFenced: fitness,
    e.WorkerDeregistered: fitness,
    e.QuotaGateClosed: gate,
    e.QuotaGateOpened: gate,
    e.EnginePaused: engine,
    e.EngineResumed: engine,
    e.EngineResized: resized,
}
