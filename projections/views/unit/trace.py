"""Traces: the attempts and waits of one unit as spans, folded from its events; all ids and times derive from the log."""

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
Wait = e.RetryScheduled | e.UnitParked
WaitEnd = e.RetryDue | e.UnitUnparked | e.UnitParked | e.UnitQuarantined | e.UnitCancelled | e.UnitCompleted
"""The events that end a wait."""
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
TRACED_KINDS = (*CLOSING, e.UnitClaimed.kind, e.RetryScheduled.kind)
"""The kinds of events that the fold needs."""
TRACE_BYTES, SPAN_BYTES = 16, 8
TEXT_CHARS = 1000
"""Limit of an error or a reason, applied after redaction."""


class TracedUnit(NamedTuple):
    """A unit by its name."""

    campaign: ids.CampaignName
    key: ids.UnitKey


class Log(Struct, frozen=True):
    """The identity of a log: the time of its first event, so that ids of two installations differ."""

    began: datetime
    shard: int = 0

    def digest(self, size: int, *parts: object) -> bytes:
        """Return a hash of *size* bytes of *parts* in this log."""
        text = "\0".join(map(str, (self.began.isoformat(), self.shard, *parts)))
        return blake2b(text.encode("utf-8", "replace"), digest_size=size).digest()

    def span_id(self, position: int, name: str) -> bytes:
        """Return the id of the span *name* that the event at *position* began."""
        return self.digest(SPAN_BYTES, position, name)


class Root(Struct, frozen=True):
    """The trace of a unit's spans, and the span of the request that added the unit, if the caller named one."""

    trace_id: bytes
    span_id: bytes = b""

    @classmethod
    def of(cls, log: Log, unit: TracedUnit, origin: tuple[str, str] | None) -> Self:
        """Return the trace and the span of *origin*, else a trace of the unit's own."""
        if origin is None:
            return cls(log.digest(TRACE_BYTES, *unit))
        return cls(*map(bytes.fromhex, origin))


class SpanEvent(Struct, frozen=True):
    """An event of a span."""

    name: str
    at: datetime
    attributes: Attributes


class Link(Struct, frozen=True):
    """A link to another span of the same trace."""

    span_id: bytes
    attributes: Attributes


class Span(Struct, frozen=True, kw_only=True):
    """A span; *position* is that of the event that ended it. *remote*: its parent is a span of the caller."""

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
    events: tuple[SpanEvent, ...] = ()
    links: tuple[Link, ...] = ()
    position: int


class TracedClaim(NamedTuple):
    """A claim, and its event, whose position names its spans."""

    event: e.Recorded
    body: e.UnitClaimed


class AttemptVerdict(Struct, frozen=True):
    """How an attempt ended."""

    attributes: Attributes
    status: Status = "unset"
    message: str = ""


class TraceFold:
    """The fold of a unit's events into spans: it remembers the last two claims, how the last ended, and the current wait.

    It may begin at any claim: the spans that end after the next claim are the same as from the whole history.
    """

    def __init__(self, log: Log, root: Root) -> None:
        self._log = log
        self._root = root
        self._before: TracedClaim | None = None
        self._claim: TracedClaim | None = None
        self._ended: e.Recorded | None = None
        self._wait: tuple[e.Recorded, Wait] | None = None

    def fold(self, event: e.Recorded) -> Iterator[Span]:
        """Yield the spans that *event* ends."""
        body = event.body
        if self._wait is not None and isinstance(body, WaitEnd):
            yield self._wait_span(*self._wait, event)
            self._wait = None
        if isinstance(body, e.UnitClaimed):
            self._before, self._claim, self._ended = self._claim, TracedClaim(event, body), None
        elif isinstance(body, Ending) and self._claim is not None and body.token == self._claim.body.token:
            yield from (
                self._late(self._claim, self._ended, body, event) if self._ended else self._attempt(self._claim, body, event)
            )
            self._ended = event
        if isinstance(body, Wait):
            self._wait = event, body

    def _attempt(self, claim: TracedClaim, body: Ending, event: e.Recorded) -> Iterator[Span]:
        """Yield an attempt from when the unit became ready, with its queue wait and its run."""
        claimed = claim.event.position
        whole = self._span("attempt", claimed, claim.event.at - timedelta(seconds=claim.body.waited), event)
        common, result = whole.attributes | of_claim(claim), verdict(body)
        positions: Attributes = {"muster.claim.position": claimed, "muster.end.position": event.position}
        more: Attributes = {"muster.mode": claim.body.mode, "muster.brief_rev": claim.body.brief_rev, **positions}
        claim_event = SpanEvent("claim", claim.event.at, {"muster.lease_s": claim.body.lease_s, "muster.claim.position": claimed})
        yield replace(
            whole,
            attributes=common | more | result.attributes,
            status=result.status,
            message=result.message,
            events=(claim_event,),
            links=() if self._before is None else (self._link(self._before),),
        )
        inner = replace(whole, parent_id=whole.span_id, remote=False, attributes=common)
        wait_id, run_id = self._log.span_id(claimed, "queue wait"), self._log.span_id(claimed, "run")
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
        """Yield the late result of an attempt that had already ended."""
        result = verdict(body)
        span = self._span("late result", event.position, ended.at, event, self._log.span_id(claim.event.position, "attempt"))
        yield replace(span, attributes=span.attributes | of_claim(claim) | result.attributes, status=result.status)

    def _wait_span(self, begin: e.Recorded, why: Wait, event: e.Recorded) -> Span:
        """Return a back-off or a park, as a child of the attempt that caused it, if one did."""
        caused = isinstance(why, e.RetryScheduled) or why.token is not None
        parent = self._log.span_id(self._claim.event.position, "attempt") if caused and self._claim is not None else None
        attributes: Attributes
        if isinstance(why, e.RetryScheduled):
            attributes = {"muster.attempt": why.after_attempt, "muster.delay_ms": why.delay_ms}
        else:
            attributes = {"muster.reason": cut(why.reason), "muster.resume_at": why.resume_at.isoformat()}
            attributes |= {"muster.quota": why.quota} if why.quota is not None else {}
        name: Name = "back-off" if isinstance(why, e.RetryScheduled) else "park"
        span = self._span(name, begin.position, begin.at, event, parent)
        return replace(span, attributes=span.attributes | attributes | {"muster.ended_by": event.body.kind})

    def _span(self, name: Name, began: int, start: datetime, event: e.Recorded, parent: bytes | None = None) -> Span:
        """Return a span without details; without *parent* it is a child of the request that added the unit."""
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
    fold = TraceFold(log, root)
    for event in events:
        yield from fold.fold(event)


def of_claim(claim: TracedClaim) -> Attributes:
    """Return the attempt and the worker."""
    return {"muster.attempt": claim.body.attempt, "muster.worker": claim.event.worker or ""}


def verdict(body: Ending) -> AttemptVerdict:
    """Return how an attempt ended; only a failure is an error."""
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
    """Return how the command of an attempt ended, as far as that is known."""
    code: Attributes = {} if body.exit_code is None else {"process.exit.code": body.exit_code}
    return code if body.signal is None else code | {"muster.signal": cut(body.signal)}


def cut(text: str) -> str:
    """Return free text, redacted and cut to `TEXT_CHARS`."""
    return redact_text(text)[:TEXT_CHARS]
