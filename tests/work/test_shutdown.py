"""How a real worker ends, and what happens to results that it has not delivered."""

import signal
import sys
from pathlib import Path

import pytest

from tests.work.commands import FAMILY, gated, is_running, open_gate, pids
from tests.work.conftest import Start
from tests.work.fake_service import FakeService, Json

PYTHON = sys.executable
LATE: Json = {"ok": False, "problem": {"type": "/problems/stale-claim", "title": "Stale claim", "status": 409}}


def test_after_a_first_signal_the_unit_finishes(service: FakeService, start: Start, tmp_path: Path) -> None:
    service.add("a", lease_s=0.5)
    worker = start(command=gated(tmp_path / "gate"))
    service.wait("heartbeat", "a")
    worker.signal(signal.SIGTERM)
    worker.wait("stopping: no more claims")
    service.add("b")
    open_gate(tmp_path / "gate")
    assert worker.end()[0] == 0
    assert [report["type"] for report in service.reports][-2:] == ["completed", "worker"]
    assert service.reports_of("started", "b") == []


def test_a_second_signal_stops_the_unit_and_gives_it_back(service: FakeService, start: Start) -> None:
    service.add("a", lease_s=0.3)
    worker = start(command=(PYTHON, "-c", FAMILY))
    members = pids(service, "a")
    worker.signal(signal.SIGINT)
    worker.wait("stopping: no more claims")
    worker.signal(signal.SIGINT)
    assert worker.end()[0] == 0
    assert service.reports_of("released", "a")[0]["reason"] == "drain"
    assert [pid for pid in members if is_running(pid)] == []


def test_the_grace_is_bounded(service: FakeService, start: Start) -> None:
    service.add("a", lease_s=0.3)
    worker = start("--grace", "0.1", command=(PYTHON, "-c", FAMILY))
    pids(service, "a")
    worker.signal(signal.SIGTERM)
    assert worker.end()[0] == 0
    assert service.reports_of("released", "a")


def test_a_drained_worker_finishes_and_ends_with_zero(service: FakeService, start: Start, tmp_path: Path) -> None:
    """B-BEAT-7."""
    service.add("a", lease_s=0.5)
    worker = start(command=gated(tmp_path / "gate"))
    service.wait("heartbeat", "a")
    service.verdict_of = lambda _: {"ok": True, "signal": "drain"}
    service.wait("heartbeat", "a", times=len(service.reports_of("heartbeat", "a")) + 1)
    open_gate(tmp_path / "gate")
    assert worker.end()[0] == 0
    assert service.reports_of("completed", "a")


@pytest.mark.parametrize("signal_of_the_service", ["drain", "stop"])
def test_an_idle_worker_that_is_drained_or_fenced_ends_with_zero(
    service: FakeService, start: Start, signal_of_the_service: str
) -> None:
    """B-BEAT-7."""
    service.verdict_of = lambda _: {"ok": True, "signal": signal_of_the_service}
    worker = start(command=("true",))
    assert worker.end()[0] == 0
    assert [report["alive"] for report in service.reports] == [True, False]


def test_a_drained_campaign_ends_the_worker_with_its_outcome(service: FakeService, start: Start) -> None:
    service.add("a")
    service.campaign = {"state": "completed", "outcome": "failed"}
    worker = start("--until-drained", command=("true",))
    assert worker.end()[0] == 1
    assert service.reports_of("completed", "a")
    service.campaign = {"state": "completed", "outcome": "achieved"}
    worker = start("--until-drained", command=("true",))
    assert worker.end()[0] == 0


def test_a_late_result_is_dropped(service: FakeService, start: Start, tmp_path: Path) -> None:
    """B-CLAIM-5."""
    service.verdict_of = lambda report: LATE if report["type"] == "completed" else {"ok": True}
    service.campaign = {"state": "completed", "outcome": "achieved"}
    service.add("a")
    worker = start("--until-drained", command=("true",))
    code, output = worker.end()
    assert code == 0
    assert "late      c/a" in output
    assert list((tmp_path / "spool").rglob("*.json")) == []


def test_a_result_that_the_service_cannot_take_is_put_aside(service: FakeService, start: Start, tmp_path: Path) -> None:
    refused: Json = {"ok": False, "problem": {"type": "/problems/validation", "title": "Validation", "status": 400}}
    service.verdict_of = lambda report: refused if report["type"] == "completed" else {"ok": True}
    service.campaign = {"state": "completed", "outcome": "achieved"}
    service.add("a")
    worker = start("--until-drained", command=("true",))
    code, output = worker.end()
    assert code == 4
    assert "refused   c/a" in output
    assert len(list((tmp_path / "spool").rglob("refused/*.json"))) == 1


def test_a_service_that_refuses_the_worker_ends_it_with_three(service: FakeService, start: Start) -> None:
    service.refusal = (403, "/v1/claims")
    worker = start(command=("true",))
    code, output = worker.end()
    assert code == 3
    assert "refused: 403" in output


def test_results_that_stay_behind_end_the_worker_with_four(service: FakeService, start: Start, tmp_path: Path) -> None:
    service.add("a", lease_s=0.5)
    worker = start("--grace", "0.1", "--kill-after", "0.1", command=gated(tmp_path / "gate"))
    service.wait("heartbeat", "a")
    service.set_away(away=True)
    open_gate(tmp_path / "gate")
    worker.wait("done")
    worker.signal(signal.SIGTERM)
    code, output = worker.end()
    assert code == 4
    assert "1 results stay in the spool" in output


def test_an_unknown_placeholder_ends_the_worker_before_its_first_request(service: FakeService, start: Start) -> None:
    worker = start(command=("echo", "{unit}"))
    code, output = worker.end()
    assert code == 2
    assert "unknown placeholder {unit}" in output
    assert service.claim_requests == []


def test_a_quiet_worker_prints_only_trouble(service: FakeService, start: Start) -> None:
    service.campaign = {"state": "completed", "outcome": "achieved"}
    service.add("a")
    worker = start("--quiet", "--until-drained", command=("true",))
    assert worker.end() == (0, "")
