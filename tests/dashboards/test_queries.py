"""Prometheus itself answers every query, over an invented night that two replicas exposed."""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from grafana.build import BOARDS
from grafana.layout import CHOICES, FIRING, STARTED, TRIPPED
from grafana.panel import Board, Panel
from grafana.preview.answer import Source
from grafana.preview.dashboard_sheet import sheet
from grafana.substitute import VariableValues
from tests.dashboards import night
from tests.patience import PATIENCE_S

# Nothing is rebuilt in that night, and no campaign that runs has ended.
EMPTY = {("Rebuild", 0), ("About", 2)}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    """A Prometheus that has scraped the invented night."""
    folder = tmp_path_factory.mktemp("night")
    with (folder / "night.txt").open("w", encoding="utf-8") as out:
        out.writelines(f"{line}\n" for line in night.exposition())
    promtool, prometheus = shutil.which("promtool") or "promtool", shutil.which("prometheus") or "prometheus"
    blocks = [promtool, "tsdb", "create-blocks-from", "openmetrics", str(folder / "night.txt"), str(folder / "data")]
    subprocess.run(blocks, check=True, capture_output=True)
    (folder / "prometheus.yml").touch()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    options = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data", f"--web.listen-address={address}"]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen([prometheus, *options, "--storage.tsdb.retention.time=100y"], stderr=log) as server,
        httpx.Client(base_url=f"http://{address}", timeout=PATIENCE_S, trust_env=False) as client,
    ):
        try:
            await_ready(client, server)
            chosen = VariableValues(range_s=night.HOURS * 3600, scrape_s=night.STEP, campaign="flaky-tests")
            yield Source(client, night.END, chosen)
        finally:
            server.terminate()


def await_ready(client: httpx.Client, server: subprocess.Popen[bytes]) -> None:
    """Return when Prometheus answers."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        assert server.poll() is None, "Prometheus ended; its log lies beside its data"
        try:
            if client.get("/-/ready").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise TimeoutError("Prometheus did not become ready")


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_every_query_of_a_dashboard_is_answered_with_data(board: Board, source: Source) -> None:
    silent = {
        (panel.title, number) for panel in board.panels for number, answer in enumerate(source.ask(panel)) if not answer
    } - EMPTY
    assert silent == set()


def test_every_variable_and_annotation_finds_values(source: Source) -> None:
    asked = [query.removeprefix("label_values(").rpartition(",")[0] for _, query in CHOICES.values()]
    for expr in (*asked, FIRING, STARTED, f"count_over_time(({TRIPPED})[6h:1m])"):
        assert source.get("query", query=source.chosen.substitute(expr), time=source.now), expr


def test_two_replicas_count_no_worker_and_no_unit_twice(source: Source) -> None:
    panels = {panel.title: panel for panel in BOARDS[0].panels}
    assert value(source, panels["Live workers"]) + value(source, panels["Dead workers"]) == len(night.WORKERS)
    one = 'sum(increase(muster_unit_transitions_total{instance="a:8110",to="done"}[6h]))'
    (alone,) = source.get("query", query=one, time=source.now)
    assert value(source, panels["Units done"]) == pytest.approx(float(alone["value"][1]))


def value(source: Source, panel: Panel) -> float:
    """Return the only number that *panel* shows at the end."""
    ((series,),) = source.ask(panel)
    return series.last


def test_a_dashboard_is_drawn_with_data_on_every_panel(source: Source, tmp_path: Path) -> None:
    board = next(board for board in BOARDS if board.uid == "muster-quota")
    assert sheet(board, source, "invented data", tmp_path / "quota.png") == []
    assert re.match(rb"\x89PNG", (tmp_path / "quota.png").read_bytes())
