"""Spans as OTLP messages."""

from collections.abc import Iterator, Sequence

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1 import trace_pb2 as pb

from projections.export.otlp_message import Identity, attributes, clean, nanoseconds, paced
from projections.views.unit.trace import Attributes, Link, Span, SpanEvent, Status, Value

MAX_SPANS = 512
"""Per request: the default of OpenTelemetry's batch span processor."""
STATUS: dict[Status, pb.Status.StatusCode.ValueType] = {
    "unset": pb.Status.STATUS_CODE_UNSET,
    "ok": pb.Status.STATUS_CODE_OK,
    "error": pb.Status.STATUS_CODE_ERROR,
}
SAMPLED = 1
LOCAL = pb.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK | SAMPLED
REMOTE = LOCAL | pb.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK


def requests(identity: Identity, spans: Sequence[Span]) -> Iterator[tuple[ExportTraceServiceRequest, int]]:
    """Yield *spans* in requests of at most `MAX_SPANS`, each with its number of spans."""
    resource = Resource(attributes=attributes(identity.attributes.items()))
    scope = InstrumentationScope(name="muster", version=identity.version)
    for start in range(0, len(spans), MAX_SPANS):
        some = [message(span) for span in paced(spans[start : start + MAX_SPANS])]
        within = pb.ResourceSpans(resource=resource, scope_spans=[pb.ScopeSpans(scope=scope, spans=some)])
        yield ExportTraceServiceRequest(resource_spans=[within]), len(some)


def message(span: Span) -> pb.Span:
    """Return one span."""
    return pb.Span(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_id,
        flags=REMOTE if span.remote else LOCAL,
        name=span.name,
        kind=pb.Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=nanoseconds(span.start),
        end_time_unix_nano=nanoseconds(span.end),
        attributes=values(span.attributes),
        events=[event(one) for one in span.events],
        links=[link(one, span.trace_id) for one in span.links],
        status=pb.Status(code=STATUS[span.status], message=clean(span.message)),
    )


def event(one: SpanEvent) -> pb.Span.Event:
    """Return an event of a span."""
    return pb.Span.Event(name=one.name, time_unix_nano=nanoseconds(one.at), attributes=values(one.attributes))


def link(one: Link, trace_id: bytes) -> pb.Span.Link:
    """Return a link to a span of the same trace."""
    return pb.Span.Link(trace_id=trace_id, span_id=one.span_id, flags=LOCAL, attributes=values(one.attributes))


def values(pairs: Attributes) -> list[KeyValue]:
    """Return attributes of any kind."""
    return [KeyValue(key=key, value=value_of(value)) for key, value in pairs.items()]


def value_of(value: Value) -> AnyValue:
    """Return a value; an integer beyond 64 bits becomes a string.

    >>> value_of(2.0).double_value, value_of(3).int_value, value_of(2**63).string_value
    (2.0, 3, '9223372036854775808')
    """
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return AnyValue(int_value=value)
    return AnyValue(string_value=clean(str(value)))
