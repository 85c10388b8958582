"""A Prometheus scrapes the demo night: every query of every dashboard is answered, and every number is the log's."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import pytest

from grafana.build import BOARDS
from grafana.panel import Board
from grafana.preview.answer import Source
from grafana.substitute import VariableValues
from ops.observe.stack import MUSTER, QUICK, prometheus
from tests.patience import PATIENCE_S
from tests.postgres import Server
from tests.receiver import http_receiver
from tests.service import Program, free_port

NAME = "night"
# Nothing is rebuilt in that night, neither a request nor Postgres fails, no trouble lasts long enough for an alert,
# and at its end no campaign has an end to predict.
EMPTY = {("Rebuild", 0), ("Errors per second", 0), ("Database errors", 0), ("Firing alerts", 0), ("Campaigns", 5)}


@dataclass(frozen=True)
class Morning:
    """What is there when the night is over."""

    url: str
    dsn: str
    source: Source


@pytest.fixture(scope="module")
def morning(postgres: Server, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Morning]:
    """A service that has lived through the demo night, and the Prometheus that scraped it every second."""
    port, at = free_port(), free_port()
    database = postgres.create(migrated)
    with ExitStack() as running:
        receiver = running.enter_context(http_receiver())
        words = ("serve", "--dsn", postgres.dsn(database), "--port", str(port))
        service = Program(*words, MUSTER_OTLP_ENDPOINT=receiver.endpoint, MUSTER_OTLP_INTERVAL_S="2")
        url = running.enter_context(service).url()
        folder = tmp_path_factory.mktemp("prometheus")
        running.enter_context(prometheus(folder, at, QUICK | {MUSTER: f"127.0.0.1:{port}"}))
        evening = time.time()
        program("ops.demo.night", "--url", url, "--name", NAME)
        client = running.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{at}", timeout=PATIENCE_S, trust_env=False))
        now = time.time()
        chosen = VariableValues(range_s=int(now - evening), step_s=1, scrape_s=1, campaign=NAME)
        yield Morning(url, postgres.dsn(database), Source(client, now, chosen))


def program(*words: str) -> str:
    """Run a program of ours to its good end, and return what it printed."""
    ran = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, timeout=5 * PATIENCE_S, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_every_query_of_a_dashboard_is_answered(board: Board, morning: Morning) -> None:
    """B-VIEW-6: where data is to be expected there is data."""
    asked = [(panel.title, number, answer) for panel in board.panels for number, answer in enumerate(morning.source.ask(panel))]
    assert {(title, number) for title, number, answer in asked if not answer} <= EMPTY


def test_every_number_of_the_night_is_the_same_everywhere(morning: Morning) -> None:
    """B-VIEW-6, A6: /metrics = OTLP = API = SQL over the log."""
    printed = program("ops.prove", "--url", morning.url, "--dsn", morning.dsn)
    assert " NO\n" not in printed
    assert "families are equal, series by series" in printed
