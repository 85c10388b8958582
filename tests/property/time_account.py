"""An account of the log that is kept apart from the core: what every event may do, counted by hand.

The ledger knows the promises (`reliability.md`), not the code: each event is checked against what came before it.
"""

import msgspec
from msgspec import UNSET

from service.domain import events as e
from service.domain.policy import Policy
from tests.property import entries
from tests.property.series import OPEN, Book, Entry, Ledger, Takers, waited_for


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
    wanted = "failed" if book.count("quarantined") else "achieved" if book.count("done") == len(book.units) else "partial"
    assert body.outcome == wanted
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
    assert book.ended != "cancelled"
    for unit in body.units:
        assert unit.key not in book.units
        entry = book.units[unit.key] = Entry(book, unit.group, unit.depends_on)
        entry.become("blocked" if unit.waits_for else "ready")
    for unit in body.units:
        open_parents = [parent for parent in unit.depends_on if waited_for(book, parent)]
        assert unit.waits_for == len(open_parents)


def updated(ledger: Ledger, event: e.Recorded, body: e.UnitsUpdated) -> None:
    for patch in body.units:
        entry = ledger.book(event).units[patch.key]
        assert entry.token is None, "a started unit is left alone"
        if patch.group is not UNSET:
            before = entry.state
            entry.become("")
            entry.group = patch.group
            entry.become(before)


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


def planned(ledger: Ledger, event: e.Recorded, body: e.RecoveryDetected) -> None:
    book = ledger.book(event)
    assert not book.asked, "a campaign has one plan at a time"
    assert all(book.units[key].held for key in body.resumable), "a plan is about units that somebody holds"
    assert len(body.resumable) == book.count("running"), "of which nobody lives"
    book.asked = set(body.resumable)


def decided(ledger: Ledger, event: e.Recorded, _body: e.Event) -> None:
    ledger.book(event).asked = set()


TAKERS: Takers = {
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
    e.UnitClaimed: entries.claimed,
    e.UnitHeartbeat: entries.beaten,
    e.LeaseExpired: entries.expired,
    e.UnitCompleted: entries.completed,
    e.AttemptFailed: entries.failed,
    e.RetryScheduled: entries.delayed,
    e.RetryDue: entries.moved("delayed", to="ready"),
    e.UnitQuarantined: entries.quarantined,
    e.QuarantineCleared: entries.cleared,
    e.UnitParked: entries.parked,
    e.UnitUnparked: entries.moved("parked", to="ready"),
    e.UnitReleased: entries.released,
    e.UnitUnblocked: entries.moved("blocked", to="ready"),
    e.UnitSkipped: entries.given_up("blocked", to="skipped"),
    e.UnitUnskipped: entries.unskipped,
    e.UnitCancelled: entries.given_up("blocked", "ready", "delayed", "parked", "quarantined", to="cancelled"),
    e.LevelChanged: level,
    e.WorkerDraining: fitness,
    e.WorkerFenced: fitness,
    e.WorkerDeregistered: fitness,
    e.QuotaGateClosed: gate,
    e.QuotaGateOpened: gate,
    e.EnginePaused: engine,
    e.EngineResumed: engine,
    e.EngineResized: resized,
    e.RecoveryDetected: planned,
    e.RecoveryApplied: decided,
    e.RecoveryDeclined: decided,
    e.RecoveryClosed: decided,
}
