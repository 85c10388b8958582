"""One unit with a real worker and a real command, against a double of the service."""

import os
import signal
import socket
import sys
from datetime import datetime
from pathlib import Path

from tests.work.conftest import Start
from tests.work.double import Said, ServiceDouble
from tests.work.process import FAMILY, STUBBORN, gated, go, lives, pids

PYTHON = sys.executable
LATE: Said = {"ok": False, "problem": {"type": "/problems/stale-claim", "title": "Stale claim", "status": 409}}


def test_a_unit_is_run_and_reported(service: ServiceDouble, start: Start) -> None:
    service.add("a", payload={"path": "x"})
    worker = start("--labels", "gpu=no", command=("test", "{payload.path}", "=", "x"))
    assert service.wait("completed", "a") == {
        "type": "completed",
        "token": "token-a",
        "exit_code": 0,
        "worker": service.asks[0]["worker"],
    }
    worker.signal(signal.SIGTERM)
    code, told = worker.end()
    assert code == 0
    assert "started   c/a · attempt 1" in told
    assert "done      c/a" in told
    assert [said["alive"] for said in service.said("worker")] == [True, False]
    assert service.said("worker")[0]["labels"] == {"host": socket.gethostname(), "gpu": "no"}


def test_a_command_that_fails_is_reported_with_its_screen(service: ServiceDouble, start: Start) -> None:
    service.add("a")
    start(command=("sh", "-c", "echo one; echo two >&2; exit 3"))
    said = service.wait("failed", "a")
    assert (said["reason"], said["error"], said["exit_code"], said["screen"]) == ("crash", "two", 3, "one\ntwo\n")


def test_a_command_that_is_killed_is_reported_with_its_signal(service: ServiceDouble, start: Start) -> None:
    service.add("a")
    start(command=("sh", "-c", "kill -9 $$"))
    said = service.wait("failed", "a")
    assert (said["reason"], said["error"], said["exit_code"], said["signal"]) == (
        "crash",
        "killed by SIGKILL",
        137,
        "SIGKILL",
    )


def test_a_command_that_cannot_be_started_is_a_launch_failure(service: ServiceDouble, start: Start) -> None:
    """B-CLAIM-8."""
    service.add("a", payload={"program": "/no/such/program"})
    service.add("b")
    start("--concurrency", "2", command=("{payload.program}",))
    assert service.wait("failed", "a")["reason"] == "launch_failed"
    assert "No such file" in service.said("failed", "a")[0]["error"]
    assert service.wait("failed", "b")["error"] == "the unit has no {payload.program}"


def test_units_run_side_by_side_up_to_the_concurrency(service: ServiceDouble, start: Start, tmp_path: Path) -> None:
    for key in "abc":
        service.add(key, lease_s=1)
    start("--concurrency", "2", command=gated(tmp_path / "gate"))
    service.wait("heartbeat", "a")
    service.wait("heartbeat", "b")
    assert service.asks[0]["max"] == 2
    assert [unit["key"] for unit in service.units] == ["c"]


def test_a_heartbeat_tells_when_output_moved_and_shows_the_screen_once(
    service: ServiceDouble, start: Start, tmp_path: Path
) -> None:
    service.add("a", lease_s=0.3)
    first, second = tmp_path / "first", tmp_path / "second"
    os.mkfifo(first)
    os.mkfifo(second)
    script = 'echo one; read line < "$0"; echo two; read line < "$1"'
    start(command=("sh", "-c", script, str(first), str(second)))
    heartbeats = service.said
    service.wait_until(lambda: [said for said in heartbeats("heartbeat", "a") if said.get("screen") == "one\n"])
    service.wait("heartbeat", "a", times=len(heartbeats("heartbeat", "a")) + 2)
    go(first)
    service.wait_until(lambda: [said for said in heartbeats("heartbeat", "a") if said.get("screen") == "one\ntwo\n"])
    assert [said["screen"] for said in heartbeats("heartbeat", "a") if "screen" in said] == ["one\n", "one\ntwo\n"]
    moved = sorted({datetime.fromisoformat(s["output_at"]) for s in heartbeats("heartbeat", "a") if "output_at" in s})
    assert len(moved) == 2


def test_a_stop_ends_the_whole_group_and_gives_the_unit_back(service: ServiceDouble, start: Start) -> None:
    """B-CAMP-4."""
    service.add("a", lease_s=0.3)
    start(command=(PYTHON, "-c", FAMILY))
    members = pids(service, "a")
    service.judge = lambda _: {"ok": True, "signal": "stop"}
    assert service.wait("released", "a")["reason"] == "stop"
    assert [pid for pid in members if lives(pid)] == []


def test_a_group_that_ignores_the_polite_signal_is_killed(service: ServiceDouble, start: Start) -> None:
    service.add("a", lease_s=0.3)
    start("--kill-after", "0.2", command=(PYTHON, "-c", STUBBORN))
    members = pids(service, "a")
    service.judge = lambda _: {"ok": True, "signal": "stop"}
    service.wait("released", "a")
    assert [pid for pid in members if lives(pid)] == []


def test_a_lost_claim_stops_the_group_and_nothing_more_is_said_of_it(service: ServiceDouble, start: Start) -> None:
    """B-UNIT-1."""
    service.add("a", lease_s=0.3)
    worker = start(command=(PYTHON, "-c", FAMILY))
    members = pids(service, "a")
    service.judge = lambda said: LATE if said["type"] == "heartbeat" else {"ok": True}
    service.add("b", lease_s=0.3)
    service.wait("heartbeat", "b")
    assert [pid for pid in members if lives(pid)] == []
    worker.signal(signal.SIGINT)
    worker.end()
    assert {said["type"] for said in service.reports if said.get("token") == "token-a"} == {"heartbeat"}


def test_what_a_command_leaves_behind_is_cleared_away(service: ServiceDouble, start: Start) -> None:
    service.add("a")
    start(command=("sh", "-c", "sleep 600 & echo $!; exit 1"))
    said = service.wait("failed", "a")
    assert not lives(int(said["screen"]))


def test_a_result_survives_an_outage(service: ServiceDouble, start: Start, tmp_path: Path) -> None:
    service.add("a", lease_s=0.5)
    worker = start(command=gated(tmp_path / "gate"))
    service.wait("heartbeat", "a")
    service.set_away(away=True)
    go(tmp_path / "gate")
    worker.wait("service away")
    service.set_away(away=False)
    service.wait("completed", "a")


def test_a_result_survives_the_worker(service: ServiceDouble, start: Start, tmp_path: Path) -> None:
    service.add("a", lease_s=0.5)
    first = start("--worker", "first", command=gated(tmp_path / "gate"))
    service.wait("heartbeat", "a")
    service.set_away(away=True)
    go(tmp_path / "gate")
    first.wait("done")
    first.kill()
    service.set_away(away=False)
    second = start("--worker", "second", command=("true",))
    assert service.wait("completed", "a")["worker"] == "first"
    second.signal(signal.SIGTERM)
    second.end()
    assert list((tmp_path / "spool").rglob("*.json")) == []


def test_what_a_killed_worker_left_running_is_stopped_and_given_back(service: ServiceDouble, start: Start) -> None:
    service.add("a", lease_s=0.5)
    first = start("--worker", "first", command=(PYTHON, "-c", FAMILY))
    members = pids(service, "a")
    first.kill()
    assert all(lives(pid) for pid in members)
    start("--worker", "second", command=("true",))
    said = service.wait("released", "a")
    assert (said["worker"], said["reason"]) == ("first", "recovery")
    assert [pid for pid in members if lives(pid)] == []
