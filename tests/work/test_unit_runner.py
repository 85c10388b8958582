"""One unit with a real worker and a real command, against a fake service."""

import os
import signal
import socket
import sys
from datetime import datetime
from pathlib import Path

from tests.work.commands import FAMILY, STUBBORN, gated, is_running, open_gate, pids
from tests.work.conftest import Start
from tests.work.fake_service import FakeService, Json

PYTHON = sys.executable
LATE: Json = {"ok": False, "problem": {"type": "/problems/stale-claim", "title": "Stale claim", "status": 409}}


def test_a_unit_is_run_and_reported(service: FakeService, start: Start) -> None:
    service.add("a", payload={"path": "x"})
    worker = start("--labels", "gpu=no", command=("test", "{payload.path}", "=", "x"))
    assert service.wait("completed", "a") == {
        "type": "completed",
        "token": "token-a",
        "exit_code": 0,
        "worker": service.claim_requests[0]["worker"],
    }
    worker.signal(signal.SIGTERM)
    code, output = worker.end()
    assert code == 0
    assert "started   c/a · attempt 1" in output
    assert "done      c/a" in output
    assert [report["alive"] for report in service.reports_of("worker")] == [True, False]
    assert service.reports_of("worker")[0]["labels"] == {"host": socket.gethostname(), "gpu": "no"}


def test_a_command_that_fails_is_reported_with_its_screen(service: FakeService, start: Start) -> None:
    service.add("a")
    start(command=("sh", "-c", "echo one; echo two >&2; exit 3"))
    report = service.wait("failed", "a")
    assert (report["reason"], report["error"], report["exit_code"], report["screen"]) == ("crash", "two", 3, "one\ntwo\n")


def test_a_command_that_is_killed_is_reported_with_its_signal(service: FakeService, start: Start) -> None:
    service.add("a")
    start(command=("sh", "-c", "kill -9 $$"))
    report = service.wait("failed", "a")
    assert (report["reason"], report["error"], report["exit_code"], report["signal"]) == (
        "crash",
        "killed by SIGKILL",
        137,
        "SIGKILL",
    )


def test_a_command_that_cannot_be_started_is_a_launch_failure(service: FakeService, start: Start) -> None:
    """B-CLAIM-8."""
    service.add("a", payload={"program": "/no/such/program"})
    service.add("b")
    start("--concurrency", "2", command=("{payload.program}",))
    assert service.wait("failed", "a")["reason"] == "launch_failed"
    assert "No such file" in service.reports_of("failed", "a")[0]["error"]
    assert service.wait("failed", "b")["error"] == "the unit has no {payload.program}"


def test_units_run_side_by_side_up_to_the_concurrency(service: FakeService, start: Start, tmp_path: Path) -> None:
    for key in "abc":
        service.add(key, lease_s=1)
    start("--concurrency", "2", command=gated(tmp_path / "gate"))
    service.wait("heartbeat", "a")
    service.wait("heartbeat", "b")
    assert service.claim_requests[0]["max"] == 2
    assert [unit["key"] for unit in service.units] == ["c"]


def test_a_heartbeat_has_the_time_of_output_and_the_screen_once(service: FakeService, start: Start, tmp_path: Path) -> None:
    service.add("a", lease_s=0.3)
    first, second = tmp_path / "first", tmp_path / "second"
    os.mkfifo(first)
    os.mkfifo(second)
    script = 'echo one; read line < "$0"; echo two; read line < "$1"'
    start(command=("sh", "-c", script, str(first), str(second)))
    reports_of = service.reports_of
    service.wait_until(lambda: [report for report in reports_of("heartbeat", "a") if report.get("screen") == "one\n"])
    service.wait("heartbeat", "a", times=len(reports_of("heartbeat", "a")) + 2)
    open_gate(first)
    service.wait_until(lambda: [report for report in reports_of("heartbeat", "a") if report.get("screen") == "one\ntwo\n"])
    assert [report["screen"] for report in reports_of("heartbeat", "a") if "screen" in report] == ["one\n", "one\ntwo\n"]
    moved = sorted({datetime.fromisoformat(s["output_at"]) for s in reports_of("heartbeat", "a") if "output_at" in s})
    assert len(moved) == 2


def test_a_stop_ends_the_whole_group_and_gives_the_unit_back(service: FakeService, start: Start) -> None:
    """B-CAMP-4."""
    service.add("a", lease_s=0.3)
    start(command=(PYTHON, "-c", FAMILY))
    members = pids(service, "a")
    service.verdict_of = lambda _: {"ok": True, "signal": "stop"}
    assert service.wait("released", "a")["reason"] == "stop"
    assert [pid for pid in members if is_running(pid)] == []


def test_a_group_that_ignores_sigterm_is_killed(service: FakeService, start: Start) -> None:
    service.add("a", lease_s=0.3)
    start("--kill-after", "0.2", command=(PYTHON, "-c", STUBBORN))
    members = pids(service, "a")
    service.verdict_of = lambda _: {"ok": True, "signal": "stop"}
    service.wait("released", "a")
    assert [pid for pid in members if is_running(pid)] == []


def test_a_lost_claim_stops_the_group_without_another_report(service: FakeService, start: Start) -> None:
    """B-UNIT-1."""
    service.add("a", lease_s=0.3)
    worker = start(command=(PYTHON, "-c", FAMILY))
    members = pids(service, "a")
    service.verdict_of = lambda report: LATE if report["type"] == "heartbeat" else {"ok": True}
    service.add("b", lease_s=0.3)
    service.wait("heartbeat", "b")
    assert [pid for pid in members if is_running(pid)] == []
    worker.signal(signal.SIGINT)
    worker.end()
    assert {report["type"] for report in service.reports if report.get("token") == "token-a"} == {"heartbeat"}


def test_processes_that_a_command_leaves_behind_are_stopped(service: FakeService, start: Start) -> None:
    service.add("a")
    start(command=("sh", "-c", "sleep 600 & echo $!; exit 1"))
    report = service.wait("failed", "a")
    assert not is_running(int(report["screen"]))


def test_a_result_survives_an_outage(service: FakeService, start: Start, tmp_path: Path) -> None:
    service.add("a", lease_s=0.5)
    worker = start(command=gated(tmp_path / "gate"))
    service.wait("heartbeat", "a")
    service.set_away(away=True)
    open_gate(tmp_path / "gate")
    worker.wait("service away")
    service.set_away(away=False)
    service.wait("completed", "a")


def test_a_result_survives_the_worker(service: FakeService, start: Start, tmp_path: Path) -> None:
    service.add("a", lease_s=0.5)
    first = start("--worker", "first", command=gated(tmp_path / "gate"))
    service.wait("heartbeat", "a")
    service.set_away(away=True)
    open_gate(tmp_path / "gate")
    first.wait("done")
    first.kill()
    service.set_away(away=False)
    second = start("--worker", "second", command=("true",))
    assert service.wait("completed", "a")["worker"] == "first"
    second.signal(signal.SIGTERM)
    second.end()
    assert list((tmp_path / "spool").rglob("*.json")) == []


def test_the_running_unit_of_a_killed_worker_is_stopped_and_released(service: FakeService, start: Start) -> None:
    service.add("a", lease_s=0.5)
    first = start("--worker", "first", command=(PYTHON, "-c", FAMILY))
    members = pids(service, "a")
    first.kill()
    assert all(is_running(pid) for pid in members)
    start("--worker", "second", command=("true",))
    report = service.wait("released", "a")
    assert (report["worker"], report["reason"]) == ("first", "recovery")
    assert [pid for pid in members if is_running(pid)] == []
