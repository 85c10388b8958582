"""Every execution arrives as a span of the orchestrator's trace, once, whoever dies in between; asked again, exactly so."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from functools import partial

import asyncpg
import grpc  # type: ignore[import-untyped]  # its stubs are another package
import pytest
from google.protobuf.message import Message  # type: ignore[import-untyped]  # as above
from opentelemetry.proto.trace.v1 import trace_pb2 as pb

from projections.export.otlp_delivery import Delivery
from projections.export.otlp_message import Identity, nanoseconds
from projections.export.otlp_sender import TRACES, Destination, GrpcSender, HttpSender, PartialSuccess, Sender
from projections.export.trace_batch import log_of
from projections.export.traces import Tracer, deliver, pages, sent_position
from projections.measures.process import Process
from service.domain import commands as c
from service.domain import ids
from service.settings import Settings
from service.store.log import event_log
from tests.histories import BEGIN, History
from tests.patience import PATIENCE_S
from tests.receiver import Receiver, grpc_receiver, http_receiver
from tests.replica import NIGHT, Replica, units

IDENTITY = Identity({"service.name": "muster"}, "0.1.0")
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
KEY = ids.UnitKey("a")
Road = tuple[Callable[[], AbstractContextManager[Receiver]], Callable[[Destination], Sender]]
ROADS: dict[str, Road] = {
    "grpc": (grpc_receiver, partial(GrpcSender, TRACES)),
    "http": (http_receiver, partial(HttpSender, TRACES)),
}
COUNTS = "muster_otlp_exports_total"


@pytest.fixture(params=["grpc", "http"])
def road(request: pytest.FixtureRequest) -> Road:
    """How the traces travel."""
    return ROADS[request.param]


@pytest.fixture
async def replica(settings: Settings) -> AsyncIterator[Replica]:
    """A running Writer."""
    async with Replica(settings) as one:
        yield one


@contextmanager
def line_to(pool: asyncpg.Pool, road: Road, page: int = 1000) -> Iterator["Line"]:
    """Yield a line to a receiver of its own."""
    with road[0]() as receiver:
        line = Line(pool, road, receiver, page)
        yield line
        line.sender.close()


class Line:
    """Everything between the log and a receiver."""

    def __init__(self, pool: asyncpg.Pool, road: Road, receiver: Receiver, page: int) -> None:
        self.pool = pool
        self.receiver = receiver
        self.process = Process()
        self.sender = road[1](Destination(receiver.endpoint, timeout_s=PATIENCE_S, compressed=True))
        self.delivery = Delivery(TRACES, self.sender, self.process)
        self.page = page

    async def follow(self) -> bool:
        """Send the next page, by a leader that has just been made."""
        return await Tracer(self.pool, self.delivery, IDENTITY, 60, page=self.page).send_page(lambda: BEGIN)

    async def again(self, start: datetime, end: datetime) -> list[pb.Span]:
        """Return what comes when the past is sent again."""
        self.receiver.traced.clear()
        async with self.pool.acquire() as connection:
            origin = await log_of(connection)
            assert origin is not None
            async for page in pages(connection, origin, start, end, 11):
                assert deliver(self.delivery, IDENTITY, page) is not None
        return self.receiver.spans()

    def count(self, result: str, family: str = COUNTS) -> float:
        """Return how often an export ended so."""
        return self.process.registry.get_sample_value(family, {"result": result}) or 0


async def begin(pool: asyncpg.Pool) -> None:
    """Begin to send traces, at the head of the log as it is now."""
    async with pool.acquire() as connection:
        await sent_position(connection, 0)


async def run(replica: Replica) -> None:
    """Let a unit fail, rest, be parked and be done; the orchestrator names its span."""
    create = c.CreateCampaign(name=NIGHT, units=units(KEY), quota=ids.QuotaKey("provider"))
    await replica.order(create, correlation_id=TRACE, span_id=SPAN)
    order = partial(replica.order, correlation_id="0" * 31 + "1")
    (grant,) = await replica.claim()
    await order(c.FailAttempt(token=grant.token, reason="crash", error="exit 1", exit_code=1))
    await order(c.RetryUnit(campaign=NIGHT, key=KEY))
    (grant,) = await replica.claim()
    await order(c.ParkClaim(token=grant.token, reason="later"))
    await order(c.UnparkUnit(campaign=NIGHT, key=KEY))
    (grant,) = await replica.claim()
    await order(c.CompleteUnit(token=grant.token))


async def test_a_run_arrives_as_spans_of_the_orchestrators_trace_and_again_exactly_so(
    pool: asyncpg.Pool, replica: Replica, road: Road
) -> None:
    await begin(pool)
    await run(replica)
    at = {event.position: nanoseconds(event.at) for event in replica.committed}
    places = [(event.body.kind, event.position) for event in replica.committed if event.unit == KEY]
    ready = next(event.position for event in replica.committed if event.body.kind == "units.added")
    (_, c1), (_, f1), (_, r1), (_, d1), (_, c2), (_, p2), (_, u2), (_, c3), (_, e3) = places
    assert [kind.removeprefix("unit.") for kind, _ in places] == [
        "claimed", "attempt_failed", "retry_scheduled", "retry_due", "claimed", "parked", "unparked", "claimed", "completed",
    ]  # fmt: skip
    with line_to(pool, road) as line:
        assert not await line.follow()
        spans = line.receiver.spans()
        found = [(span.name, span.start_time_unix_nano, span.end_time_unix_nano) for span in spans]
        stretches = [
            ("attempt", ready, f1), ("queue wait", ready, c1), ("run", c1, f1), ("back-off", r1, d1),
            ("attempt", d1, p2), ("queue wait", d1, c2), ("run", c2, p2), ("park", p2, u2),
            ("attempt", u2, e3), ("queue wait", u2, c3), ("run", c3, e3),
        ]  # fmt: skip
        assert found == [(name, at[start], at[end]) for name, start, end in stretches]
        first, second, third = (span for span in spans if span.name == "attempt")
        parents = [span.parent_span_id for span in spans]
        order = bytes.fromhex(SPAN)
        assert parents == [order, *[first.span_id] * 3, order, *[second.span_id] * 3, order, *[third.span_id] * 2]
        assert {span.trace_id for span in spans} == {bytes.fromhex(TRACE)}
        assert {bool(span.flags & pb.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK): span.name for span in spans}[True] == "attempt"
        assert [[link.span_id for link in span.links] for span in (first, second, third)] == [
            [],
            [first.span_id],
            [second.span_id],
        ]
        assert [(mark.name, mark.time_unix_nano) for mark in second.events] == [("claim", at[c2])]
        assert (first.status.code, first.status.message) == (pb.Status.STATUS_CODE_ERROR, "exit 1")
        assert line.receiver.instances() == {f"fleet:{at[1] // 1000:x}"}
        assert (line.count("success"), line.count("accepted", "muster_otlp_points_total")) == (1, 11)
        again = await line.again(BEGIN, replica.committed[-1].at + timedelta(seconds=1))
        assert [span.SerializeToString() for span in again] == [span.SerializeToString() for span in spans]


async def test_backfill_sends_the_spans_that_ended_in_the_interval(pool: asyncpg.Pool, replica: Replica) -> None:
    await run(replica)
    failed = next(event.at for event in replica.committed if event.body.kind == "unit.attempt_failed")
    parked = next(event.at for event in replica.committed if event.body.kind == "unit.parked")
    with line_to(pool, ROADS["http"]) as line:
        names = [span.name for span in await line.again(failed, parked)]
    assert names == ["attempt", "queue wait", "run", "back-off"]


async def test_an_import_goes_before_the_campaign_and_a_unit_that_nobody_ordered_has_a_trace_of_its_own(
    pool: asyncpg.Pool, replica: Replica
) -> None:
    other = "0af7651916cd43dd8448eb211c80319c"
    await replica.order(c.CreateCampaign(name=NIGHT, units=units("a")), correlation_id=TRACE, span_id=SPAN)
    await replica.order(c.AddUnits(campaign=NIGHT, units=units("b")), correlation_id=other, span_id=SPAN[::-1])
    await replica.order(c.AddUnits(campaign=NIGHT, units=units("c")), correlation_id=other)
    await replica.order(c.CreateCampaign(name=ids.CampaignName("free"), units=units("d", "e")), correlation_id=other)
    for grant in await replica.claim("w", 10):
        await replica.order(c.CompleteUnit(token=grant.token))
    with line_to(pool, ROADS["http"]) as line:
        spans = await line.again(BEGIN, replica.committed[-1].at + timedelta(seconds=1))
    found = {
        next(one.value.string_value for one in span.attributes if one.key == "muster.unit"): (
            span.trace_id.hex(),
            span.parent_span_id.hex(),
        )
        for span in spans
        if span.name == "attempt"
    }
    assert [found[key] for key in "abc"] == [(TRACE, SPAN), (other, SPAN[::-1]), (TRACE, SPAN)]
    assert [found[key][1] for key in "de"] == ["", ""]
    assert len({found[key][0] for key in "de"} | {TRACE, other}) == 4


async def test_a_leader_that_dies_leaves_nothing_out_and_sends_nothing_twice(pool: asyncpg.Pool) -> None:
    history = History(7).grow(900)
    await begin(pool)
    with line_to(pool, ROADS["http"], page=7) as line:
        for place in range(0, len(history.events), 40):
            async with pool.acquire() as connection:
                for event in history.events[place : place + 40]:
                    await event_log.append(connection, [event])
            while await line.follow():  # each time a leader that knows nothing but the log
                pass
        piecemeal = [span.SerializeToString() for span in line.receiver.spans()]
        whole = [span.SerializeToString() for span in await line.again(BEGIN, history.at + timedelta(seconds=1))]
    assert piecemeal == whole
    assert len(set(whole)) == len(whole) > 50


async def test_a_leader_that_was_overtaken_leaves_the_checkpoint_alone(pool: asyncpg.Pool, replica: Replica) -> None:
    """Two leaders at once, which a lease cannot rule out."""
    await begin(pool)
    await run(replica)
    under_way, end = threading.Event(), threading.Event()

    class Slow:
        """Takes its time."""

        def send(self, request: Message) -> PartialSuccess:
            assert request.resource_spans
            under_way.set()
            end.wait(PATIENCE_S)
            return PartialSuccess()

        def close(self) -> None:
            """Nothing is held."""

    with line_to(pool, ROADS["http"]) as line:
        slow = asyncio.create_task(
            Tracer(pool, Delivery(TRACES, Slow(), Process()), IDENTITY, 60, page=5).send_page(lambda: BEGIN)
        )
        await asyncio.to_thread(under_way.wait, PATIENCE_S)
        assert not await line.follow()
        end.set()
        assert not await slow
        assert not await line.follow()
    assert len(line.receiver.spans()) == 11
    assert await pool.fetchval("SELECT position FROM trace_checkpoint") == replica.committed[-1].position


@pytest.mark.parametrize(("name", "fault"), [("grpc", grpc.StatusCode.UNAVAILABLE), ("http", 503), ("http", 404)])
async def test_spans_wait_in_the_log_while_the_receiver_is_away(
    pool: asyncpg.Pool, replica: Replica, name: str, fault: object
) -> None:
    await begin(pool)
    await run(replica)
    with line_to(pool, ROADS[name]) as line:
        line.receiver.fault = fault
        for _ in range(2):
            assert not await line.follow()
        assert (line.count("failure"), line.count("success"), line.receiver.spans()) == (2, 0, [])
        line.receiver.fault = None
        await line.follow()
        assert (line.count("success"), len(line.receiver.spans())) == (1, 11)


@pytest.mark.parametrize(("name", "fault"), [("grpc", grpc.StatusCode.INVALID_ARGUMENT), ("http", 400)])
async def test_a_permanently_refused_batch_does_not_block_later_spans(
    pool: asyncpg.Pool, replica: Replica, name: str, fault: object
) -> None:
    await begin(pool)
    await run(replica)
    with line_to(pool, ROADS[name], page=7) as line:
        line.receiver.fault = fault
        assert await line.follow()
        line.receiver.fault = None
        await line.follow()
        rejected = line.count("rejected", "muster_otlp_points_total")
        assert (line.count("failure"), line.count("success")) == (1, 1)
        assert rejected + len(line.receiver.spans()) == 11
        assert rejected > 0


async def test_spans_that_a_receiver_refuses_are_counted_though_it_says_success(
    pool: asyncpg.Pool, replica: Replica, road: Road
) -> None:
    await begin(pool)
    await run(replica)
    with line_to(pool, road) as line:
        line.receiver.refuses = 4
        await line.follow()
    assert (line.count("partial"), line.count("rejected", "muster_otlp_points_total")) == (1, 4)


@pytest.mark.parametrize("send", [GrpcSender, HttpSender])
@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1", "http://nobody.invalid:4317", "what is this"])
async def test_a_wrong_endpoint_costs_a_counted_failure_and_one_line_a_minute(
    pool: asyncpg.Pool, replica: Replica, send: Callable[..., Sender], endpoint: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    await begin(pool)
    await run(replica)
    process = Process()
    sender = send(TRACES, Destination(endpoint, timeout_s=0.5))
    tracer = Tracer(pool, Delivery(TRACES, sender, process), IDENTITY, 60)
    for _ in range(3):
        assert not await tracer.send_page(lambda: BEGIN)
    sender.close()
    assert process.registry.get_sample_value(COUNTS, {"result": "failure"}) == 3
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert [line.startswith("OTLP, spans: ") for line in lines] == [True]
