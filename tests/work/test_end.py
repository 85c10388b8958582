"""How a real worker ends, and what becomes of what it has not told yet."""

import signal
import sys
from pathlib import Path

import pytest

from tests.work.conftest import Start
from tests.work.double import Said, ServiceDouble
from tests.work.process import FAMILY, gated, go, lives, pids

PYTHON = sys.executable
LATE: Said = {"ok": False, "problem": {"type": "/problems/stale-claim", "title": "Stale claim", "status": 409}}


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
