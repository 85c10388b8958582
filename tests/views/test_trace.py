"""Every execution is a span of its own with what it is made of; ids and times are the log's, wherever the fold begins."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from projections.views.unit.attempts import attempt_history
from projections.views.unit.trace import CLOSING, TRACED_KINDS, Log, Root, Span, TracedUnit, spans
from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from tests.histories import BEGIN, CAMPAIGNS, QUOTA, WORKERS, History

NAME, KEY = CAMPAIGNS[0], ids.UnitKey("a")
LOG = Log(BEGIN)
ORDER = Root.of(LOG, TracedUnit(NAME, KEY), ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"))
Line = tuple[str, float, float, str]
"""A span: its name, the seconds of its begin and its end, what it belongs to."""


class Night(History):
    """A history of one unit, told by hand."""

    def __init__(self, **policy: object) -> None:
        super().__init__(0)
        rules = {"lease_s": 60, "retry": {"jitter": {"kind": "none"}, "backoff_ms": 60_000}, "breaker": {"threshold": 9}}
        self.order(c.CreateCampaign(name=NAME, policy={**rules, **policy}, quota=QUOTA, units=(c.UnitSpec(KEY),)))

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        self.at += timedelta(seconds=seconds)

    def take(self) -> ids.Token:
        """Let the first worker claim what is ready."""
        self.dice.choice = lambda options: options[0]  # type: ignore[assignment, method-assign]
        self.claim()
        return self.tokens[-1]

    def spans(self, root: Root = ORDER) -> list[Span]:
        """Return the spans of the unit."""
        return list(spans(LOG, root, of_unit(self, TracedUnit(NAME, KEY))))

    def lines(self) -> list[Line]:
        """Return the spans as lines."""
        found = self.spans()
        names = {span.span_id: span.name for span in found} | {ORDER.span_id: "order"}
        return [(span.name, since(span.start), since(span.end), names[span.parent_id]) for span in found]


def of_unit(history: History, unit: TracedUnit) -> list[e.Recorded]:
    """Return what a unit's spans are folded from."""
    return [event for event in history.events if (event.campaign, event.unit) == unit and event.body.kind in TRACED_KINDS]


def since(at: datetime) -> float:
    """Return seconds since the begin."""
    return (at - BEGIN).total_seconds()


def test_a_failure_its_rest_a_park_and_a_success() -> None:
    night = Night()
    night.wait(7)
    token = night.take()
    night.wait(11)
    night.order(c.FailAttempt(token=token, reason="crash", error="exit 3, TOKEN=hunter22", exit_code=3))
    night.wait(60)
    night.order(c.ReleaseRetries(campaign=NAME, keys=(KEY,)))
    night.wait(2)
    token = night.take()
    night.wait(5)
    night.order(c.ParkClaim(token=token, reason="rate_limit", resume_after_s=30))
    night.wait(30)
    night.order(c.OpenGates(quotas=(QUOTA,)))
    night.order(c.ResumeParked(campaign=NAME, keys=(KEY,)))
    token = night.take()
    night.wait(20)
    night.order(c.CompleteUnit(token=token, exit_code=0))
    assert night.lines() == [
        ("attempt", 0, 18, "order"), ("queue wait", 0, 7, "attempt"), ("run", 7, 18, "attempt"),
        ("back-off", 18, 78, "attempt"),
        ("attempt", 78, 85, "order"), ("queue wait", 78, 80, "attempt"), ("run", 80, 85, "attempt"),
        ("park", 85, 115, "attempt"),
        ("attempt", 115, 135, "order"), ("queue wait", 115, 115, "attempt"), ("run", 115, 135, "attempt"),
    ]  # fmt: skip
    first, _, run, rest, second, _, _, park, third, _, _ = night.spans()
    assert (rest.parent_id, park.parent_id) == (first.span_id, second.span_id)
    assert [[link.span_id for link in span.links] for span in (first, second, third)] == [[], [first.span_id], [second.span_id]]
    assert [span.status for span in (first, run, second, park, third)] == ["error", "error", "unset", "unset", "ok"]
    assert [(one.name, since(one.at)) for one in first.events] == [("claim", 7)]
    outcomes = [(span.attributes["muster.attempt"], span.attributes["muster.outcome"]) for span in (first, second, third)]
    assert outcomes == [(1, "failed"), (2, "parked"), (2, "completed")]
    assert (first.attributes["error.type"], first.attributes["process.exit.code"]) == ("crash", 3)
    assert first.attributes["muster.worker"] == WORKERS[0]
    assert rest.attributes["muster.delay_ms"] == 60_000
    assert (park.attributes["muster.quota"], park.attributes["muster.ended_by"]) == (QUOTA, "unit.unparked")
    assert all(span.remote == (span.parent_id == ORDER.span_id) for span in night.spans())


def test_no_secret_leaves_in_a_span() -> None:
    """B-DIAG-2."""
    night = Night()
    error = "curl -H 'Authorization: Bearer abcdefghijklmnop' http://me:hunter22@host/ " + "x" * 5000
    night.order(c.FailAttempt(token=night.take(), reason="crash", error=error, signal="password=hunter22"))
    failed = night.spans()[0]
    assert "[redacted]" in failed.message
    assert len(failed.message) == 1000
    assert "hunter22" not in repr(night.spans())
    assert "abcdefghijklmnop" not in repr(night.spans())


def test_a_lease_that_expired_is_an_error_and_what_came_late_a_span_of_its_own() -> None:
    """B-CLAIM-3, B-CLAIM-5."""
    night = Night()
    token = night.take()
    night.wait(61)
    night.order(c.ExpireLeases(tokens=(token,), heard_since=BEGIN))
    night.wait(10)
    night.order(c.CompleteUnit(token=token))
    assert night.lines() == [
        ("attempt", 0, 61, "order"), ("queue wait", 0, 0, "attempt"), ("run", 0, 61, "attempt"),
        ("back-off", 61, 71, "attempt"), ("late result", 61, 71, "attempt"),
    ]  # fmt: skip
    expired, _, _, rest, late = night.spans()
    assert (expired.status, expired.attributes["muster.outcome"]) == ("error", "expired")
    assert (rest.attributes["muster.ended_by"], late.status) == ("unit.completed", "ok")


@pytest.mark.parametrize(("order", "kind"), [(c.CancelUnit, "unit.cancelled"), (c.QuarantineUnit, "unit.quarantined")])
def test_a_rest_that_no_execution_follows_is_a_span_too(order: type[c.CancelUnit | c.QuarantineUnit], kind: str) -> None:
    night = Night()
    night.order(c.ParkUnit(campaign=NAME, key=KEY))
    night.wait(40)
    night.order(order(campaign=NAME, key=KEY))
    assert night.lines() == [("park", 0, 40, "order")]
    assert night.spans()[0].attributes["muster.ended_by"] == kind


def test_without_an_order_the_trace_is_the_units_own_and_every_log_has_other_ids() -> None:
    night = Night()
    night.order(c.CompleteUnit(token=night.take()))
    unit, other = TracedUnit(NAME, KEY), Log(BEGIN, shard=1)
    own = night.spans(Root.of(LOG, unit, None))
    assert {(span.parent_id == b"", span.remote) for span in own if span.name == "attempt"} == {(True, False)}
    assert own == night.spans(Root.of(LOG, unit, None))
    assert {len(span.trace_id) for span in own} == {16}
    elsewhere = list(spans(other, Root.of(other, unit, None), of_unit(night, unit)))
    assert not {span.span_id for span in own} & {span.span_id for span in elsewhere}
    assert own[0].trace_id != elsewhere[0].trace_id
    assert own[0].trace_id != Root.of(LOG, TracedUnit(NAME, ids.UnitKey("b")), None).trace_id


def test_in_any_history_the_spans_are_the_executions_wherever_the_fold_begins() -> None:
    seen: Counter[str] = Counter()
    for seed in range(12):
        history = History(seed).grow(400)
        found = [span for unit in history.state.units for span in unit_spans(history, TracedUnit(*unit))]
        assert len({span.span_id for span in found}) == len(found)
        seen.update(span.name for span in found)
    assert seen["attempt"] == seen["queue wait"] == seen["run"]
    assert min(seen[name] for name in ("attempt", "back-off", "park", "late result")) > 5, seen


def unit_spans(history: History, unit: TracedUnit) -> list[Span]:
    """Return the spans of a unit, which are the same from any claim on."""
    told, root = of_unit(history, unit), Root.of(LOG, unit, None)
    whole = list(spans(LOG, root, told))
    assert_executions(told, whole)
    assert all(span.start <= span.end and span.attributes["muster.unit"] == unit.key for span in whole)
    kinds = {event.position: event.body.kind for event in told}
    assert {kinds[span.position] for span in whole} <= set(CLOSING)
    claims = [place for place, event in enumerate(told) if isinstance(event.body, e.UnitClaimed)]
    for before, last in pairwise(claims):
        ends = [list(spans(LOG, root, events)) for events in (told, told[before:])]
        whole_end, end = ([span for span in found if span.position > told[last].position] for found in ends)
        assert end == whole_end
    return whole


def assert_executions(told: list[e.Recorded], whole: list[Span]) -> None:
    """Hold the spans against the executions as the views show them."""
    late = {span.parent_id: span for span in whole if span.name == "late result"}
    runs = {span.parent_id: span for span in whole if span.name == "run"}
    attempts = {span.attributes["muster.claim.position"]: span for span in whole if span.name == "attempt"}
    ended = [one for one in attempt_history(told) if one.ended_at is not None]
    assert len(attempts) == len(runs) == len(ended)
    for execution in ended:
        span = attempts[execution.position]
        end = late.get(span.span_id, span)
        assert (runs[span.span_id].start, end.end) == (execution.started_at, execution.ended_at)
        assert (end.attributes["muster.outcome"], end.attributes["muster.attempt"]) == (execution.outcome, execution.attempt)
