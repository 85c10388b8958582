"""A real Prometheus, two replicas, and everything that makes other counters jump: its numbers are the log's."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Self

import asyncpg
import httpx
import pytest

from ops.observe.stack import Child
from projections.measures.catalogue import FOLDED
from tests.patience import PATIENCE_S
from tests.receiver import Receiver, http_receiver
from tests.service import Program, eventually, free_port, get

SCRAPE_S = 0.5
ROUND_S = 0.03
WINDOW_S = 300
COUNTERS = [family.name for family in FOLDED if family.kind == "counter"]
TRUTH = {
    "muster_heartbeats_total": "SELECT count(*) FROM heartbeats",
    'muster_attempts_total{outcome="completed"}': "SELECT count(*) FROM events WHERE kind = 'unit.completed'",
    'muster_attempts_total{outcome="failed"}': "SELECT count(*) FROM events WHERE kind = 'unit.attempt_failed'",
    'muster_unit_transitions_total{to="running"}': "SELECT count(*) FROM events WHERE kind = 'unit.claimed'",
    'muster_events_total{kind="unit.claimed"}': "SELECT count(*) FROM events WHERE kind = 'unit.claimed'",
    "muster_retries_scheduled_total": "SELECT count(*) FROM events WHERE kind = 'unit.retry_scheduled'",
    "muster_unit_wait_seconds_count": "SELECT count(*) FROM events WHERE kind = 'unit.claimed'",
}


class Prometheus:
    """What it answers."""

    def __init__(self, port: int) -> None:
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=PATIENCE_S, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def ask(self, query: str) -> list[dict[str, Any]]:
        """Return the series of an instant query."""
        found: list[dict[str, Any]] = self._client.get("/query", params={"query": query}).json()["data"]["result"]
        return found

    def value(self, query: str) -> float:
        """Return the only value of a query."""
        (series,) = self.ask(query)
        return float(series["value"][1])


class Work:
    """A worker that does not let itself be disturbed: it asks whichever replica answers, and never runs out of units."""

    def __init__(self, urls: list[str]) -> None:
        self._urls = urls
        self._client = httpx.Client(timeout=PATIENCE_S, trust_env=False, verify=False)
        self._campaigns = count(1)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.done = 0

    def __enter__(self) -> Self:
        self._begin()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        self._client.close()

    def _begin(self) -> None:
        policy = {"breaker": {"threshold": 1000}, "concurrency": 100, "retry": {"backoff_ms": 100}}
        units = [{"key": f"u{number}"} for number in range(500)]
        self._post("/v1/campaigns", {"name": f"night-{next(self._campaigns)}", "policy": policy, "units": units})

    def _post(self, path: str, body: object) -> Any:  # noqa: ANN401 - whatever is answered
        for url in self._urls:
            try:
                answer = self._client.post(url + path, json=body)
            except httpx.TransportError:
                continue
            if answer.is_success:
                return answer.json()
        return None

    def _run(self) -> None:
        while not self._stopping.wait(ROUND_S):
            claimed = self._post("/v1/claims", {"worker": "w", "max": 5})
            if claimed and not claimed["claims"]:
                self._begin()
            for place, claim in enumerate(claimed["claims"] if claimed else ()):
                token = claim["token"]
                said = [{"type": "heartbeat", "token": token}]
                end = {"type": "failed", "reason": "crash"} if place == 4 else {"type": "completed"}
                if self._post("/v1/reports", {"worker": "w", "reports": [*said, end | {"token": token}]}):
                    self.done += 1


@contextmanager
def scraping(folder: Path, targets: list[str]) -> Iterator[Prometheus]:
    """Run a Prometheus on *targets*."""
    port = free_port()
    config = {
        "global": {"scrape_interval": f"{SCRAPE_S * 1000:.0f}ms"},
        "scrape_configs": [{"job_name": "muster", "static_configs": [{"targets": targets}]}],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config), encoding="utf-8")
    words = [
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with Child("prometheus", words, folder / "prometheus.log", port), Prometheus(port) as prometheus:
        yield prometheus


async def test_increases_are_what_sql_counts_through_a_kill_a_new_leader_and_a_rebuild(dsn: str, tmp_path: Path) -> None:
    """Promise 4: never back, never twice, and no process needs to have stayed alive."""
    ports = [free_port(), free_port()]
    targets = [f"127.0.0.1:{port}" for port in ports]
    with http_receiver() as receiver, ExitStack() as stack:
        settings = {"MUSTER_LEADER_LEASE_S": "1", "MUSTER_OTLP_ENDPOINT": receiver.endpoint, "MUSTER_OTLP_INTERVAL_S": "0.5"}

        def start(port: int) -> Program:
            program = stack.enter_context(Program("serve", "--dsn", dsn, "--port", str(port), **settings))
            program.url()
            return program

        replicas = {port: start(port) for port in ports}
        prometheus = stack.enter_context(scraping(tmp_path, targets))
        eventually(lambda: prometheus.ask("sum(up) == 2") != [] and len(prometheus.ask("muster_heartbeats_total == 0")) == 2)
        with Work([f"http://{target}" for target in targets]) as work:
            eventually(lambda: work.done > 100)
            leader = next(port for port in ports if "\nmuster_leader 1.0" in process(port))
            os.kill(replicas[leader].process.pid, signal.SIGKILL)
            replicas[leader].printed()
            other = next(port for port in ports if port != leader)
            eventually(lambda: "\nmuster_leader 1.0" in process(other))
            replicas[leader] = start(leader)
            with Program("rebuild", "--dsn", dsn) as rebuilding:
                assert "generation 2 is live" in rebuilding.printed()
            before = work.done
            eventually(lambda: work.done > before + 100)
        owner = await asyncpg.connect(dsn)
        try:
            await hold(owner, prometheus, targets)
        finally:
            await owner.close()
        sent_once(receiver)


def process(port: int) -> str:
    """Return what a replica tells of itself."""
    return get(f"http://127.0.0.1:{port}/metrics?scope=process").text


async def hold(owner: asyncpg.Connection, prometheus: Prometheus, targets: list[str]) -> None:
    """Hold what Prometheus says against what SQL counts, once it has scraped the end."""
    head = await owner.fetchval(
        "SELECT max(p) FROM (SELECT max(position) p FROM events UNION SELECT max(position) FROM heartbeats) x"
    )
    eventually(lambda: len(prometheus.ask(f"muster_metrics_fold_position >= {head}")) == len(targets))
    settled = time.time() + 2 * SCRAPE_S
    eventually(lambda: prometheus.value("min(timestamp(muster_metrics_fold_position))") > settled)
    for query, sql in TRUTH.items():
        truth = await owner.fetchval(sql)
        assert truth > 0, query
        window = query.replace("}", f"}}[{WINDOW_S}s]") if "}" in query else f"{query}[{WINDOW_S}s]"
        covered = prometheus.value(
            f"max(max_over_time(timestamp({query})[{WINDOW_S}s:500ms]) - min_over_time(timestamp({query})[{WINDOW_S}s:500ms]))"
        )
        assert {float(one["value"][1]) for one in prometheus.ask(query)} == {truth}, query
        increase = prometheus.value(f"max without (instance) (increase({window}))")
        assert increase == pytest.approx(truth, rel=2.4 * SCRAPE_S / covered), query
    for name in COUNTERS:
        assert prometheus.value(f"sum(resets({name}[{WINDOW_S}s])) or vector(0)") == 0, name


def sent_once(receiver: Receiver) -> None:
    """One fleet and three processes have sent, and what was counted never went back."""
    instances = receiver.instances()
    assert len([name for name in instances if name.startswith("fleet:")]) == 1
    assert len([name for name in instances if not name.startswith("fleet:")]) == 3
    last: dict[object, tuple[int, int]] = {}
    for metric in receiver.metrics("fleet:"):
        if metric.WhichOneof("data") == "sum":
            for point in metric.sum.data_points:
                if not point.flags:
                    key = metric.name, tuple((one.key, one.value.string_value) for one in point.attributes)
                    time_, value = last.get(key, (0, 0))
                    assert point.time_unix_nano <= time_ or point.as_int >= value, key
                    last[key] = (point.time_unix_nano, point.as_int)
