"""Who is told what, and what is not told beside its cause."""

import json
import urllib.request
from pathlib import Path

import pytest

from ops.observe.sink import Sink
from ops.observe.stack import QUICK, SINK, alertmanager
from ops.rules.groups import ALERTS
from tests.patience import PATIENCE_S
from tests.rules.promtool import run
from tests.service import eventually, free_port

CONFIG = str(Path(__file__).parents[2] / "ops" / "alertmanager" / "alertmanager.yml")
CRITICAL, WARNING = {"severity": "critical"}, {"severity": "warning"}
C1 = {"campaign": "c1"}
Labels = dict[str, str]


def test_alertmanager_accepts_the_configuration() -> None:
    checked = run("amtool", "check-config", CONFIG)
    assert checked.returncode == 0, checked.stderr
    assert "6 inhibit rules" in checked.stdout


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ("alertname=MusterWatchdog severity=none", "dead-mans-switch"),
        ("alertname=MusterDown severity=critical", "pager"),
        ("alertname=MusterProjectionLagging severity=critical projection=views", "pager"),
        ("alertname=MusterProjectionLagging severity=warning projection=views", "tickets"),
        ("alertname=MusterPoolSaturated severity=info", "digest"),
        ("alertname=MusterSafetyCapTripped severity=warning campaign=c1", "campaign-owners"),
        ("alertname=MusterCampaignStalled severity=warning campaign=c1", "tickets"),
        ("alertname=SomebodyElses severity=warning", "tickets"),
    ],
)
def test_an_alert_reaches_its_receiver(labels: str, receiver: str) -> None:
    words = ("config", "routes", "test", f"--config.file={CONFIG}", f"--verify.receivers={receiver}", *labels.split())
    routed = run("amtool", *words)
    assert routed.returncode == 0, routed.stdout + routed.stderr


# Cause, what it silences, and what it must not silence; each line lives under a job of its own.
INHIBITIONS: list[tuple[Labels, Labels, Labels]] = [
    (
        {"alertname": "MusterProjectionLagging", "projection": "views"} | CRITICAL,
        {"alertname": "MusterProjectionLagging", "projection": "views"} | WARNING,
        {"alertname": "MusterProjectionLagging", "projection": "other"} | WARNING,
    ),
    (
        {"alertname": "MusterCampaignFailureRateCritical"} | C1 | CRITICAL,
        {"alertname": "MusterCampaignFailureRateHigh"} | C1 | WARNING,
        {"alertname": "MusterCampaignFailureRateHigh", "campaign": "c2"} | WARNING,
    ),
    *(
        (
            {"alertname": "MusterSafetyCapTripped"} | C1 | WARNING,
            {"alertname": name} | C1 | WARNING,
            {"alertname": name, "campaign": "c2"} | WARNING,
        )
        for name in ("MusterCampaignStalled", "MusterCampaignStarved", "MusterCampaignEtaPastDeadline", "MusterQuarantineGrowing")
    ),
    *(
        (
            {"alertname": "MusterNoHealthyWorkers"} | CRITICAL,
            {"alertname": name} | C1 | WARNING,
            {"alertname": "MusterCampaignEtaPastDeadline"} | C1 | WARNING,
        )
        for name in ("MusterCampaignStalled", "MusterCampaignStarved")
    ),
    *(
        (
            {"alertname": "MusterNoLeader"} | CRITICAL,
            {"alertname": name} | CRITICAL,
            {"alertname": "MusterSplitBrain"} | CRITICAL,
        )
        for name in ("MusterSweepStale", "MusterLeaseReaperStuck", "MusterRetriesOverdue", "MusterQuotaResumeOverdue")
    ),
    *(
        (
            {"alertname": "MusterEventAppendFailing", "reason": "db_unavailable"} | CRITICAL,
            {"alertname": name} | CRITICAL,
            {"alertname": "MusterEventAppendSlow"} | WARNING,
        )
        for name in ("MusterApiErrorBudgetBurn", "MusterProjectionStuck")
    ),
]


def test_a_real_alertmanager_tells_the_cause_and_not_its_consequences(tmp_path: Path) -> None:
    told: list[Labels] = []
    silenced: list[Labels] = []
    for number, (cause, consequence, other) in enumerate(INHIBITIONS):
        job = {"job": f"muster-{number}"}
        told += [cause | job, other | job]
        silenced.append(consequence | job)
    port = free_port()
    with Sink() as sink, alertmanager(tmp_path, port, QUICK | {SINK: f"127.0.0.1:{sink.port}"}):
        post(port, told + silenced)

        def arrived() -> list[Labels]:
            return [labels for _, notification in list(sink.received) for labels in (a["labels"] for a in notification["alerts"])]

        eventually(lambda: all(labels in arrived() for labels in told))
        held_back = [alert["labels"] for alert in get(port) if alert["status"]["inhibitedBy"]]
        assert sorted(map(str, held_back)) == sorted(str(dict(sorted(labels.items()))) for labels in silenced)
        assert not [labels for labels in silenced if labels in arrived()]
        assert {labels["alertname"] for labels in sink.alerts("campaign-owners")} == {"MusterSafetyCapTripped"}
        assert {labels["severity"] for labels in sink.alerts("pager")} == {"critical"}
        assert {labels["severity"] for labels in sink.alerts("tickets")} == {"warning"}


def test_every_name_in_the_inhibitions_is_an_alert() -> None:
    names = {rule.name for rule in ALERTS}
    assert {labels["alertname"] for line in INHIBITIONS for labels in line} <= names


def post(port: int, alerts: list[Labels]) -> None:
    """Fire *alerts*."""
    body = json.dumps([{"labels": labels, "annotations": {"description": "a test"}} for labels in alerts]).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v2/alerts", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=PATIENCE_S):
        pass


def get(port: int) -> list[dict[str, dict[str, str]]]:
    """Return what Alertmanager knows."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v2/alerts", timeout=PATIENCE_S) as answer:
        alerts: list[dict[str, dict[str, str]]] = json.load(answer)
    return alerts
