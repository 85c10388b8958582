"""Real workers and real commands against a double of the service."""

import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from tests.work.conftest import Start
from tests.work.double import PATIENCE_S, Said, ServiceDouble

PYTHON = sys.executable
LATE: Said = {"ok": False, "problem": {"type": "/problems/stale-claim", "title": "Stale claim", "status": 409}}


def lives(pid: int) -> bool:
    """Say whether *pid* runs; a dead child that nobody has reaped does not."""
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def pids(service: ServiceDouble, key: str) -> list[int]:
    """Wait until the unit's command has printed the numbers of its members, and return them."""
    screen = service.wait_until(lambda: next((s["screen"] for s in service.said("heartbeat", key) if "screen" in s), ""))
    return [int(number) for number in screen.split()]


FAMILY = (
    "import os, signal, subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    "print(os.getpid(), child.pid, flush=True)\n"
    "time.sleep(600)\n"
)
STUBBORN = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + FAMILY


def gated(gate: Path) -> tuple[str, ...]:
    """Return a command that says that it runs, and ends when *gate* is written to."""
    os.mkfifo(gate)
    return ("sh", "-c", 'echo runs; read line < "$0"', str(gate))


def go(gate: Path) -> None:
    """Let the command behind *gate* go on."""
    subprocess.run(("sh", "-c", 'echo go > "$0"', str(gate)), check=True, timeout=PATIENCE_S)


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
    assert service.said("worker")[0]["labels"] == {"gpu": "no"}


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


def test_a_first_signal_lets_the_unit_finish(service: ServiceDouble, start: Start, tmp_path: Path) -> None:
    service.add("a", lease_s=0.5)
    worker = start(command=gated(tmp_path / "gate"))
    service.wait("heartbeat", "a")
    worker.signal(signal.SIGTERM)
    worker.wait("stopping: no more claims")
    service.add("b")
    go(tmp_path / "gate")
    assert worker.end()[0] == 0
    assert [said["type"] for said in service.reports][-2:] == ["completed", "worker"]
    assert service.said("started", "b") == []


def test_a_second_signal_stops_the_unit_and_gives_it_back(service: ServiceDouble, start: Start) -> None:
    service.add("a", lease_s=0.3)
    worker = start(command=(PYTHON, "-c", FAMILY))
    members = pids(service, "a")
    worker.signal(signal.SIGINT)
    worker.wait("stopping: no more claims")
    worker.signal(signal.SIGINT)
    assert worker.end()[0] == 0
    assert service.said("released", "a")[0]["reason"] == "drain"
    assert [pid for pid in members if lives(pid)] == []


def test_the_grace_is_bounded(service: ServiceDouble, start: Start) -> None:
    service.add("a", lease_s=0.3)
    worker = start("--grace", "0.1", command=(PYTHON, "-c", FAMILY))
    pids(service, "a")
    worker.signal(signal.SIGTERM)
    assert worker.end()[0] == 0
    assert service.said("released", "a")


def test_a_drained_worker_finishes_and_ends_with_zero(service: ServiceDouble, start: Start, tmp_path: Path) -> None:
    """B-BEAT-7."""
    service.add("a", lease_s=0.5)
    worker = start(command=gated(tmp_path / "gate"))
    service.wait("heartbeat", "a")
    service.judge = lambda _: {"ok": True, "signal": "drain"}
    service.wait("heartbeat", "a", times=len(service.said("heartbeat", "a")) + 1)
    go(tmp_path / "gate")
    assert worker.end()[0] == 0
    assert service.said("completed", "a")


@pytest.mark.parametrize("signal_of_the_service", ["drain", "stop"])
def test_an_idle_worker_that_is_drained_or_fenced_ends_with_zero(
    service: ServiceDouble, start: Start, signal_of_the_service: str
) -> None:
    """B-BEAT-7."""
    service.judge = lambda _: {"ok": True, "signal": signal_of_the_service}
    worker = start(command=("true",))
    assert worker.end()[0] == 0
    assert [said["alive"] for said in service.reports] == [True, False]


def test_a_drained_campaign_ends_the_worker_and_tells_whether_it_was_achieved(service: ServiceDouble, start: Start) -> None:
    service.add("a")
    service.campaign = {"state": "completed", "outcome": "failed"}
    worker = start("--until-drained", command=("true",))
    assert worker.end()[0] == 1
    assert service.said("completed", "a")
    service.campaign = {"state": "completed", "outcome": "achieved"}
    worker = start("--until-drained", command=("true",))
    assert worker.end()[0] == 0


def test_a_late_result_is_dropped(service: ServiceDouble, start: Start, tmp_path: Path) -> None:
    """B-CLAIM-5."""
    service.judge = lambda said: LATE if said["type"] == "completed" else {"ok": True}
    service.campaign = {"state": "completed", "outcome": "achieved"}
    service.add("a")
    worker = start("--until-drained", command=("true",))
    code, told = worker.end()
    assert code == 0
    assert "late      c/a" in told
    assert list((tmp_path / "spool").rglob("*.json")) == []


def test_a_result_that_the_service_cannot_take_is_put_aside(service: ServiceDouble, start: Start, tmp_path: Path) -> None:
    refused: Said = {"ok": False, "problem": {"type": "/problems/validation", "title": "Validation", "status": 400}}
    service.judge = lambda said: refused if said["type"] == "completed" else {"ok": True}
    service.campaign = {"state": "completed", "outcome": "achieved"}
    service.add("a")
    worker = start("--until-drained", command=("true",))
    code, told = worker.end()
    assert code == 4
    assert "refused   c/a" in told
    assert len(list((tmp_path / "spool").rglob("refused/*.json"))) == 1


def test_a_service_that_refuses_the_worker_ends_it_with_three(service: ServiceDouble, start: Start) -> None:
    service.refusal = (403, "/v1/claims")
    worker = start(command=("true",))
    code, told = worker.end()
    assert code == 3
    assert "refused: 403" in told


def test_results_that_stay_behind_end_the_worker_with_four(service: ServiceDouble, start: Start, tmp_path: Path) -> None:
    service.add("a", lease_s=0.5)
    worker = start("--grace", "0.1", "--kill-after", "0.1", command=gated(tmp_path / "gate"))
    service.wait("heartbeat", "a")
    service.set_away(away=True)
    go(tmp_path / "gate")
    worker.wait("done")
    worker.signal(signal.SIGTERM)
    code, told = worker.end()
    assert code == 4
    assert "1 results stay in the spool" in told


def test_an_unknown_placeholder_ends_the_worker_before_it_asks(service: ServiceDouble, start: Start) -> None:
    worker = start(command=("echo", "{unit}"))
    code, told = worker.end()
    assert code == 2
    assert "unknown placeholder {unit}" in told
    assert service.asks == []


def test_a_quiet_worker_tells_only_of_trouble(service: ServiceDouble, start: Start) -> None:
    service.campaign = {"state": "completed", "outcome": "achieved"}
    service.add("a")
    worker = start("--quiet", "--until-drained", command=("true",))
    assert worker.end() == (0, "")
