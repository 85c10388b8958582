"""What each event of a unit may do to its entry."""

from collections.abc import Callable
from typing import Any

from service.domain import events as e
from tests.property.series import CLOSED, OPEN, Entry, Ledger, waited_for

CLOCKS = ("lease_expired", "heartbeat_dead", "max_duration", "idle_output")
"""Failures that nobody reports."""


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
        assert not any(count for group, count in book.waiting.items() if group < entry.group), "groups run in order"
    assert event.unit is not None
    assert event.campaign is not None
    ledger.tokens[body.token] = event.campaign, event.unit
    entry.become("running")
    entry.token, entry.fence, entry.held = body.token, body.fence, True
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
    if body.alive is not False and event.unit is not None:
        ledger.book(event).asked.discard(event.unit)


def expired(ledger: Ledger, event: e.Recorded, body: e.LeaseExpired) -> None:
    under_token(ledger, event, body.token)
    assert event.unit not in ledger.book(event).asked, "no clock takes what a person is asked about"


def completed(ledger: Ledger, event: e.Recorded, body: e.UnitCompleted) -> None:
    book, entry = ledger.book(event), ledger.entry(event)
    assert entry.token == body.token, "no success counts under a superseded token"
    assert entry.state in OPEN, "a final state stays"
    assert entry.state == body.was
    entry.become("done")
    entry.held = False
    entry.attempts = max(entry.attempts, body.attempt)
    book.failures = []


def failed(ledger: Ledger, event: e.Recorded, body: e.AttemptFailed) -> None:
    entry, book = under_token(ledger, event, body.token), ledger.book(event)
    assert body.attempt == entry.attempts
    assert body.reason not in CLOCKS or event.unit not in book.asked, "no clock takes what a person is asked about"
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
    entry.become("delayed")


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
    entry.become("quarantined")
    if book.policy.breaker.counts == "units" and body.reason != "manual":
        book.failures.append(event.position)
    entry.give_up()


def cleared(ledger: Ledger, event: e.Recorded, body: e.QuarantineCleared) -> None:
    entry = ledger.entry(event)
    assert entry.state == "quarantined"
    entry.attempts = entry.claims = 0
    entry.become(body.to)
    entry.given_up = False


def parked(ledger: Ledger, event: e.Recorded, body: e.UnitParked) -> None:
    entry = ledger.entry(event) if body.token is None else under_token(ledger, event, body.token)
    assert entry.state == body.was
    assert entry.state in ("running", "ready", "delayed")
    assert entry.held == (entry.state == "running")
    entry.attempts -= entry.held
    entry.become("parked")
    entry.held = False


def released(ledger: Ledger, event: e.Recorded, body: e.UnitReleased) -> None:
    entry = under_token(ledger, event, body.token)
    entry.attempts -= 1
    entry.become("ready")
    entry.held = False


def moved(*allowed: str, to: str) -> Callable[[Ledger, e.Recorded, Any], None]:
    """Return the taker of a mere change of state."""

    def take(ledger: Ledger, event: e.Recorded, body: Any) -> None:  # noqa: ANN401 - of any kind
        entry = ledger.entry(event)
        assert entry.state in allowed
        assert not entry.held
        assert getattr(body, "was", entry.state) == entry.state
        entry.become(getattr(body, "to", to))

    return take


def given_up(*allowed: str, to: str) -> Callable[[Ledger, e.Recorded, Any], None]:
    """Return the taker of an end that is not done."""
    move = moved(*allowed, to=to)

    def take(ledger: Ledger, event: e.Recorded, body: Any) -> None:  # noqa: ANN401 - of any kind
        move(ledger, event, body)
        book = ledger.book(event)
        entry = ledger.entry(event)
        entry.give_up()
        if isinstance(body, e.UnitSkipped):
            assert body.path[0] == body.because_of, "the path begins at the cause"
            assert body.path[-1] == event.unit
            assert any(book.units[parent].state in CLOSED for parent in entry.parents)

    return take


def unskipped(ledger: Ledger, event: e.Recorded, body: e.UnitUnskipped) -> None:
    moved("skipped", to="blocked")(ledger, event, body)
    ledger.entry(event).given_up = False
