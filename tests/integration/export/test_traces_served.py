"""Traces of a running service, set by the names of OpenTelemetry, through the death of a leader; and again by a command."""

import os
import signal
from contextlib import ExitStack

import httpx
import pytest

from tests.patience import PATIENCE_S
from tests.receiver import Receiver, grpc_receiver
from tests.service import Program, eventually, free_port, get

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def start(stack: ExitStack, dsn: str, receiver: Receiver) -> tuple[Program, str]:
    """Start a replica that sends to *receiver*."""
    settings = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{receiver.endpoint}", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        "OTEL_TRACES_EXPORTER": "otlp", "OTEL_BSP_SCHEDULE_DELAY": "200", "OTEL_METRIC_EXPORT_INTERVAL": "200",
        "MUSTER_LEADER_LEASE_S": "1",
    }  # fmt: skip
    program = stack.enter_context(Program("serve", "--dsn", dsn, "--port", str(free_port()), **settings))
    return program, program.url()


def work(url: str, *keys: str) -> None:
    """Let each unit fail once and be done."""
    with httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE_S) as client:
        header = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
        units = [{"key": key} for key in keys]
        policy = {"retry": {"backoff_ms": 100}, "breaker": {"threshold": 1000}}
        body = {"name": "night-" + keys[0], "units": units, "policy": policy}
        assert client.post("/v1/campaigns", json=body, headers=header).status_code == 201
        for ending in ("failed", "completed"):
            claims: list[dict[str, str]] = []
            while len(claims) < len(keys):
                asked = {"worker": "w", "max": len(keys), "wait_s": 20, "campaigns": [body["name"]]}
                claims += client.post("/v1/claims", json=asked).json()["claims"]
            more = {"reason": "crash", "error": "exit 1"} if ending == "failed" else {}
            reports = [{"type": ending, "token": claim["token"], **more} for claim in claims]
            assert client.post("/v1/reports", json={"worker": "w", "reports": reports}).is_success


def attempts(receiver: Receiver) -> int:
    """Return how many executions have arrived."""
    return len({span.span_id for span in receiver.spans() if span.name == "attempt"})


def test_spans_survive_the_death_of_the_leader_and_are_the_same_when_sent_again(dsn: str) -> None:
    with grpc_receiver() as receiver, ExitStack() as stack:
        first, url = start(stack, dsn, receiver)
        work(url, "a", "b", "c")
        eventually(lambda: attempts(receiver) > 0)
        work(url, "d", "e")
        os.kill(first.process.pid, signal.SIGKILL)
        first.printed()
        second, url = start(stack, dsn, receiver)
        work(url, "f")
        eventually(lambda: attempts(receiver) == 12)
        eventually(lambda: list(receiver.metrics("fleet:")) != [])
        eventually(lambda: 'muster_otlp_exports_total{result="success"}' in get(f"{url}/metrics?scope=process").text)
        second.stop()
        spans = receiver.spans()
        sent = {span.span_id: span.SerializeToString() for span in spans}
        assert {span.SerializeToString() for span in spans} == set(sent.values())
        assert {span.trace_id.hex() for span in spans} == {TRACE}
        assert {span.parent_span_id.hex() for span in spans if span.name == "attempt"} == {SPAN}
        assert len([name for name in receiver.instances() if name.startswith("fleet:")]) == 1
        receiver.traced.clear()
        place = {"MUSTER_OTLP_TRACES_ENDPOINT": receiver.endpoint, "MUSTER_OTLP_TRACES_PROTOCOL": "grpc"}
        with Program("traces", "export", "--dsn", dsn, "--from", "2026-01-01", **place) as program:
            assert f"{len(sent)} spans\n" in program.printed()
            assert program.process.returncode == 0
        assert {span.span_id: span.SerializeToString() for span in receiver.spans()} == sent


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [("", "nowhere to send traces to"), ("http://127.0.0.1:1", "0 spans have arrived, those after position 0 have not")],
)
def test_a_command_without_a_server_prints_an_error(dsn: str, endpoint: str, said: str) -> None:
    with ExitStack() as stack, grpc_receiver() as receiver:
        program, url = start(stack, dsn, receiver)
        work(url, "a")
        program.stop()
        words = ("traces", "export", "--dsn", dsn, "--from", "2026-01-01")
        with Program(*words, MUSTER_OTLP_TRACES_ENDPOINT=endpoint) as program:
            assert said in program.printed()
            assert program.process.returncode == 1
