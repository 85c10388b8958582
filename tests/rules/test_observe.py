"""`make observe`, as a person starts it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from typing_extensions import override

from ops.rules.groups import ALERTS
from ops.rules.recording import RECORDINGS
from tests.patience import PATIENCE_S
from tests.service import eventually, free_port

TRIPPED = b'muster_campaign_paused{campaign="c1",reason="safety_cap"} 1\n'


class Metrics(BaseHTTPRequestHandler):
    """A replica that has one thing to say."""

    def do_GET(self) -> None:
        """Say it."""
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(TRIPPED)

    @override
    def log_message(self, *_: object) -> None:
        """Stay quiet."""


def loaded(prometheus: int) -> list[dict[str, Any]]:
    """Return the rules as Prometheus read them."""
    with urllib.request.urlopen(f"http://127.0.0.1:{prometheus}/api/v1/rules", timeout=PATIENCE_S) as answer:
        return [rule for group in json.load(answer)["data"]["groups"] for rule in group["rules"]]


def test_observe_reads_every_rule_tells_of_a_tripped_breaker_and_leaves_nothing_behind(tmp_path: Path) -> None:
    replica = ThreadingHTTPServer(("127.0.0.1", 0), Metrics)
    Thread(target=replica.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    prometheus, alertmanager, sink = free_port(), free_port(), free_port()
    ports = (f"--prometheus-port={prometheus}", f"--alertmanager-port={alertmanager}", f"--sink-port={sink}")
    observing = subprocess.Popen(
        [sys.executable, "-m", "ops.observe", f"--target=127.0.0.1:{replica.server_port}", "--quick", *ports],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    assert observing.stdout is not None
    try:
        for line in observing.stdout:
            if "MusterSafetyCapTripped" in line:
                break
        assert re.match(r"campaign-owners +firing +MusterSafetyCapTripped: The breaker of campaign c1 has tripped", line)
        rules = loaded(prometheus)
        assert sorted(rule["name"] for rule in rules) == sorted([*(r.name for r in ALERTS), *(r.record for r in RECORDINGS)])
        assert [rule["name"] for rule in rules if rule["health"] == "err"] == []
        with urllib.request.urlopen(f"http://127.0.0.1:{sink}/runbooks/MusterSafetyCapTripped.md", timeout=PATIENCE_S) as page:
            assert b"## Mitigation" in page.read()
        children = Path(f"/proc/{observing.pid}/task/{observing.pid}/children").read_text().split()
        assert len(children) == 2
    finally:
        observing.send_signal(signal.SIGINT)
        observing.communicate(timeout=PATIENCE_S)
        replica.shutdown()
        replica.server_close()
    assert observing.returncode == 0
    eventually(lambda: not [child for child in children if Path(f"/proc/{child}").exists()])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--prometheus-port", "--alertmanager-port", "--sink-port"])
def test_observe_refuses_a_port_that_somebody_else_has(option: str) -> None:
    free = [f"{other}={free_port()}" for other in ("--prometheus-port", "--alertmanager-port", "--sink-port") if other != option]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = [sys.executable, "-m", "ops.observe", f"{option}={port}", *free]
        ended = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert ended.returncode == 1
    assert f"port {port}" in ended.stderr
    assert f"choose another with {option}" in ended.stderr
