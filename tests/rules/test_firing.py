"""Alerts travel from the service through Prometheus and Alertmanager to their receivers."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from ops.observe.sink import Sink
from ops.observe.stack import ALERTMANAGER, MUSTER, QUICK, SINK, alertmanager, prometheus
from tests.patience import PATIENCE_S
from tests.service import Program, eventually, free_port

# Hours become seconds; everything else of the rules stays as it ships.
HURRIED = {"for: 5m": "for: 2s", "> 900": "> 2"}


class Service:
    """A running replica."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{self.client.base_url.host}:{self.client.base_url.port}"

    def post(self, path: str, **body: object) -> dict[str, Any]:
        """Post *body* and return the answer."""
        answer = self.client.post(path, json=body)
        assert answer.is_success, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def begin(self, name: str, units: int, **fields: object) -> list[str]:
        """Create a campaign and claim all of its units; return the tokens."""
        self.post("/v1/campaigns", name=name, units=[{"key": f"u{number}"} for number in range(units)], **fields)
        claimed = self.post("/v1/claims", worker=f"worker of {name}", max=units, campaigns=[name])
        return [claim["token"] for claim in claimed["claims"]]

    def report(self, name: str, *reports: dict[str, object]) -> None:
        """Report as the worker of the campaign; each item must be accepted."""
        results = self.post("/v1/reports", worker=f"worker of {name}", reports=list(reports))["results"]
        assert all(result["ok"] for result in results), results


@pytest.fixture
def service(dsn: str) -> Iterator[Service]:
    """A replica that leads: nothing is folded before."""
    words = ("serve", "--dsn", dsn, "--port", str(free_port()))
    with (
        Program(*words, MUSTER_LEADER_LEASE_S="3") as program,
        httpx.Client(base_url=program.url(), timeout=PATIENCE_S, trust_env=False) as client,
    ):
        eventually(lambda: "\nmuster_leader 1" in client.get("/metrics").text)
        yield Service(client)


async def depose(dsn: str) -> None:
    """Give the lead to a replica that does nothing: no gate opens by itself."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("UPDATE leader SET replica = 'idle', until = now() + interval '1 hour'")
    await connection.close()


def scraped(port: int, series: str) -> bool:
    """Tell whether Prometheus has a sample of *series*."""
    found = httpx.get(f"http://127.0.0.1:{port}/api/v1/query", params={"query": series}, timeout=PATIENCE_S, trust_env=False)
    return bool(found.json()["data"]["result"])


def test_service_failures_alert_the_right_receiver(service: Service, dsn: str, tmp_path: Path) -> None:
    watching, telling, once = free_port(), free_port(), {"max_attempts": 1, "concurrency": 100}
    with ExitStack() as running:
        sink = running.enter_context(Sink())
        changes = (
            QUICK | HURRIED | {MUSTER: service.address, ALERTMANAGER: f"127.0.0.1:{telling}", SINK: f"127.0.0.1:{sink.port}"}
        )
        running.enter_context(alertmanager(tmp_path, telling, changes))
        running.enter_context(prometheus(tmp_path, watching, changes))

        failing = service.begin("failing", 25, policy=once | {"breaker": {"threshold": 1000}})
        tripping = service.begin("tripping", 5, policy=once)
        silent = service.begin("silent", 1)
        parked = service.begin("parked", 1, quota="provider")
        service.report("silent", {"type": "heartbeat", "token": silent[0], "alive": False})
        done: dict[str, object] = {"type": "completed"}
        crash: dict[str, object] = {"type": "failed", "reason": "crash", "error": "exit 1"}
        service.report("tripping", *(crash | {"token": token} for token in tripping[:3]))
        # `increase` sees nothing of a counter that is born with its value.
        eventually(lambda: scraped(watching, 'muster_campaign_units_finished_total{campaign="failing"}'))
        service.report("failing", *(crash | {"token": token} for token in failing[:3]))
        service.report("failing", *(done | {"token": token} for token in failing[3:]))

        def told(receiver: str, name: str, **labels: str) -> bool:
            expected = {"alertname": name, "job": "muster", **labels}.items()
            return any(expected <= alert.items() for alert in sink.alerts(receiver))

        eventually(lambda: told("campaign-owners", "MusterSafetyCapTripped", campaign="tripping"), 3 * PATIENCE_S)
        eventually(lambda: told("tickets", "MusterCampaignFailureRateHigh", campaign="failing"), 3 * PATIENCE_S)
        eventually(lambda: told("tickets", "MusterWorkerDead", worker="worker of silent"), 3 * PATIENCE_S)
        resume_at = (datetime.now(UTC) + timedelta(seconds=15)).isoformat()
        service.report("parked", {"type": "parked", "token": parked[0], "reason": "rate_limit", "resume_at": resume_at})
        eventually(lambda: "muster_quota_resume_timestamp_seconds{" in service.client.get("/metrics").text)
        asyncio.run(depose(dsn))
        eventually(lambda: told("pager", "MusterQuotaResumeOverdue", quota="provider"), 3 * PATIENCE_S)
