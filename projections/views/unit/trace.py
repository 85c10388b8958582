"""Traces: the executions and the rests of one unit as spans, folded from its events; every id and every time is the log's."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Literal, NamedTuple, Self, assert_never

from msgspec import Struct
from msgspec.structs import replace

from service.domain import events as e
from service.domain import ids
from service.domain.content.redact import redact_text

Name = Literal["attempt", "queue wait", "run", "back-off", "park", "late result"]
Status = Literal["unset", "ok", "error"]
Value = str | int | float
Attributes = dict[str, Value]
Ending = e.UnitCompleted | e.AttemptFailed | e.UnitParked | e.UnitReleased
Rest = e.RetryScheduled | e.UnitParked
Arisal = e.RetryDue | e.UnitUnparked | e.UnitParked | e.UnitQuarantined | e.UnitCancelled | e.UnitCompleted
"""What ends a rest."""
CLOSING = (
    e.UnitCompleted.kind,
    e.AttemptFailed.kind,
    e.UnitParked.kind,
    e.UnitReleased.kind,
    e.RetryDue.kind,
    e.UnitUnparked.kind,
    e.UnitQuarantined.kind,
    e.UnitCancelled.kind,
)
"""The kinds of events that may end a span."""
TOLD = (*CLOSING, e.UnitClaimed.kind, e.RetryScheduled.kind)
"""The kinds of events that the spans of a unit are folded from."""
TRACE_BYTES, SPAN_BYTES = 16, 8
TEXT_CHARS = 1000
"""Of an error or a reason, cut once it is redacted."""


class TracedUnit(NamedTuple):
    """A unit by its name."""

    campaign: ids.CampaignName
    key: ids.UnitKey


class Log(Struct, frozen=True):
    """Which log it is, by the time of its first event: ids of two installations do not meet."""

    born: datetime
    shard: int = 0

    def digest(self, size: int, *parts: object) -> bytes:
        """Return *size* bytes that name *parts* in this log."""
        text = "\0".join(map(str, (self.born.isoformat(), self.shard, *parts)))
        return blake2b(text.encode("utf-8", "replace"), digest_size=size).digest()

    def span_id(self, position: int, name: str) -> bytes:
        """Return the id of the span *name* that the event at *position* began."""
        return self.digest(SPAN_BYTES, position, name)


class Root(Struct, frozen=True):
    """Where the spans of a unit belong: their trace, and in it the span of whoever ordered the unit, if that was said."""

    trace_id: bytes
    span_id: bytes = b""

    @classmethod
    def of(cls, log: Log, unit: TracedUnit, ordered: tuple[str, str] | None) -> Self:
        """Return the trace and the span of the order, else a trace of the unit's own."""
        if ordered is None:
            return cls(log.digest(TRACE_BYTES, *unit))
        return cls(*map(bytes.fromhex, ordered))


class SpanEvent(Struct, frozen=True):
    """What happened at one moment of a span."""

    name: str
    at: datetime
    attributes: Attributes


class Link(Struct, frozen=True):
    """Another span of the same trace that this one has to do with."""

    span_id: bytes
    attributes: Attributes


class Span(Struct, frozen=True, kw_only=True):
    """A stretch of time; *position* is that of the event that ended it. *remote*: its parent is no span of ours."""

    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    remote: bool
    name: Name
    start: datetime
    end: datetime
    attributes: Attributes
    status: Status = "unset"
    message: str = ""
    marks: tuple[SpanEvent, ...] = ()
    links: tuple[Link, ...] = ()
    position: int


class TracedClaim(NamedTuple):
    """A claim with its place in the log, by which its spans are named."""

    event: e.Recorded
    body: e.UnitClaimed


class AttemptVerdict(Struct, frozen=True):
    """How an execution ended."""

    attributes: Attributes
    status: Status = "unset"
    message: str = ""


class TraceFold:
    """What is remembered of a unit from one event to the next: its last two claims, how the last ended, what it rests from.

    It may begin with any claim: the spans that end after the next one are those of the whole life.
    """

    def __init__(self, log: Log, root: Root) -> None:
        self._log = log
        self._root = root
        self._before: TracedClaim | None = None
        self._claim: TracedClaim | None = None
        self._ended: e.Recorded | None = None
        self._rest: tuple[e.Recorded, Rest] | None = None

    def fold(self, event: e.Recorded) -> Iterator[Span]:
        """Yield the spans that *event* ends."""
        body = event.body
        if self._rest is not None and isinstance(body, Arisal):
            yield self._rested(*self._rest, event)
            self._rest = None
        if isinstance(body, e.UnitClaimed):
            self._before, self._claim, self._ended = self._claim, TracedClaim(event, body), None
        elif isinstance(body, Ending) and self._claim is not None and body.token == self._claim.body.token:
            yield from (
                self._late(self._claim, self._ended, body, event) if self._ended else self._attempt(self._claim, body, event)
            )
            self._ended = event
        if isinstance(body, Rest):
            self._rest = event, body

    def _attempt(self, claim: TracedClaim, body: Ending, event: e.Recorded) -> Iterator[Span]:
        """Yield an execution from the time when the unit was ready, with its wait and its run."""
        held = claim.event.position
        whole = self._span("attempt", held, claim.event.at - timedelta(seconds=claim.body.waited), event)
        common, result = whole.attributes | of_claim(claim), verdict(body)
        places: Attributes = {"muster.claim.position": held, "muster.end.position": event.position}
        more: Attributes = {"muster.mode": claim.body.mode, "muster.brief_rev": claim.body.brief_rev, **places}
        mark = SpanEvent("claim", claim.event.at, {"muster.lease_s": claim.body.lease_s, "muster.claim.position": held})
        yield replace(
            whole,
            attributes=common | more | result.attributes,
            status=result.status,
            message=result.message,
            marks=(mark,),
            links=() if self._before is None else (self._link(self._before),),
        )
        inner = replace(whole, parent_id=whole.span_id, remote=False, attributes=common)
        wait_id, run_id = self._log.span_id(held, "queue wait"), self._log.span_id(held, "run")
        yield replace(inner, span_id=wait_id, name="queue wait", end=claim.event.at)
        yield replace(
            inner,
            span_id=run_id,
            name="run",
            start=claim.event.at,
            attributes=common | result.attributes,
            status=result.status,
            message=result.message,
        )

    def _late(self, claim: TracedClaim, ended: e.Recorded, body: Ending, event: e.Recorded) -> Iterator[Span]:
        """Yield what an execution brought that was believed to have ended."""
        result = verdict(body)
        span = self._span("late result", event.position, ended.at, event, self._log.span_id(claim.event.position, "attempt"))
        yield replace(span, attributes=span.attributes | of_claim(claim) | result.attributes, status=result.status)

    def _rested(self, rest: e.Recorded, why: Rest, event: e.Recorded) -> Span:
        """Return a back-off or a park; it belongs to the execution that it came of, if it came of one."""
        caused = isinstance(why, e.RetryScheduled) or why.token is not None
        parent = self._log.span_id(self._claim.event.position, "attempt") if caused and self._claim is not None else None
        attributes: Attributes
        if isinstance(why, e.RetryScheduled):
            attributes = {"muster.attempt": why.after_attempt, "muster.delay_ms": why.delay_ms}
        else:
            attributes = {"muster.reason": cut(why.reason), "muster.resume_at": why.resume_at.isoformat()}
            attributes |= {"muster.quota": why.quota} if why.quota is not None else {}
        name: Name = "back-off" if isinstance(why, e.RetryScheduled) else "park"
        span = self._span(name, rest.position, rest.at, event, parent)
        return replace(span, attributes=span.attributes | attributes | {"muster.ended_by": event.body.kind})

    def _span(self, name: Name, began: int, start: datetime, event: e.Recorded, parent: bytes | None = None) -> Span:
        """Return a bare span; without *parent* it belongs to whoever ordered the unit."""
        return Span(
            trace_id=self._root.trace_id,
            span_id=self._log.span_id(began, name),
            parent_id=self._root.span_id if parent is None else parent,
            remote=parent is None and self._root.span_id != b"",
            name=name,
            start=start,
            end=event.at,
            attributes={"muster.campaign": event.campaign or "", "muster.unit": event.unit or ""},
            position=event.position,
        )

    def _link(self, claim: TracedClaim) -> Link:
        return Link(self._log.span_id(claim.event.position, "attempt"), {"muster.attempt": claim.body.attempt})


def spans(log: Log, root: Root, events: Iterable[e.Recorded]) -> Iterator[Span]:
    """Yield every span that ended within *events* of one unit, which begin with its first or with a claim."""
    life = TraceFold(log, root)
    for event in events:
        yield from life.fold(event)


def of_claim(claim: TracedClaim) -> Attributes:
    """Return which execution it was, and whose."""
    return {"muster.attempt": claim.body.attempt, "muster.worker": claim.event.worker or ""}


def verdict(body: Ending) -> AttemptVerdict:
    """Return how an execution ended; only a failure is an error."""
    match body:
        case e.UnitCompleted():
            return AttemptVerdict({"muster.outcome": "completed", **exited(body)}, "ok")
        case e.AttemptFailed():
            outcome = "expired" if body.reason in ids.SILENT_FAILURES else "failed"
            attributes: Attributes = {"muster.outcome": outcome, "error.type": body.reason, **exited(body)}
            return AttemptVerdict(attributes, "error", cut(body.error or body.reason))
        case e.UnitParked():
            return AttemptVerdict({"muster.outcome": "parked", "muster.reason": cut(body.reason)})
        case e.UnitReleased():
            return AttemptVerdict({"muster.outcome": "released", "muster.reason": body.cause})
        case _:
            assert_never(body)


def exited(body: e.UnitCompleted | e.AttemptFailed) -> Attributes:
    """Return how the command of an execution ended, as far as that is known."""
    code: Attributes = {} if body.exit_code is None else {"process.exit.code": body.exit_code}
    return code if body.signal is None else code | {"muster.signal": cut(body.signal)}


def cut(text: str) -> str:
    """Return free text without secrets, not too long."""
    return redact_text(text)[:TEXT_CHARS]
