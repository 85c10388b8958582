"""Image, units and configuration files, asked of the programs that read them where those are here."""

import http.server
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import pytest
from typing_extensions import override

from tests.ops.files import OPS, ROOT, documents, require_command, require_pinned, require_settings
from tests.service import free_port

UNITS = sorted((OPS / "systemd").glob("*.service"))
IMAGE = (OPS / "container/Dockerfile").read_text(encoding="utf-8")
READY = OPS / "container/ready.py"


@contextmanager
def answering(status: HTTPStatus) -> Iterator[int]:
    """Answer every request with *status*, and yield the port."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def ready(port: int) -> int:
    """Return the exit code of the image's health check, with a proxy in its way."""
    environment = {"MUSTER_PORT": str(port), "http_proxy": "http://127.0.0.1:1"}
    return subprocess.run([sys.executable, READY], env=environment, capture_output=True, check=False, timeout=60).returncode


def test_the_health_check_passes_on_what_readyz_says() -> None:
    with answering(HTTPStatus.OK) as port:
        assert ready(port) == 0
    with answering(HTTPStatus.SERVICE_UNAVAILABLE) as port:
        assert ready(port) == 1
    assert ready(free_port()) == 1


def test_the_image_copies_existing_files_and_runs_as_any_user() -> None:
    require_pinned(re.findall(r"^FROM (\S+)", IMAGE, re.MULTILINE))
    words = [line.split()[1:-1] for line in re.findall(r"^COPY (?!--from).*", IMAGE, re.MULTILINE)]
    sources = [word for line in words for word in line if not word.startswith("--")]
    assert [source for source in sources if not (ROOT / source).exists()] == []
    sent = re.findall(r"^!(\S+)", (OPS / "container/Dockerfile.dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    assert {source for source in sources if not source.startswith(tuple(sent))} == set()
    (user,) = re.findall(r"^USER (\d+):\d+$", IMAGE, re.MULTILINE)
    assert int(user) > 0
    assert IMAGE.count("--require-hashes") == 2
    require_command(re.findall(r'^CMD \["(\w+)"\]$', IMAGE, re.MULTILINE))
    require_settings(dict(re.findall(r"\b(MUSTER_\w+)=(\w+)", IMAGE)))


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_a_command_of_ours_with_settings_of_ours(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    (words,) = re.findall(r"^ExecStart=/opt/muster/bin/muster (.+)$", text, re.MULTILINE)
    require_command(words.split())
    require_settings(dict(re.findall(r"^Environment=(MUSTER_\w+)=(.+)$", text, re.MULTILINE)))
    assert "\nNoNewPrivileges=yes\n" in text
    assert "\nDynamicUser=yes\n" in text


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_analyze_accepts_the_units(tmp_path: Path) -> None:
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8").replace("/opt/muster/bin/muster", sys.executable)
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    words = ["systemd-analyze", "verify", *map(str, tmp_path.iterdir())]
    ended = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("name", ["prometheus.yml", "compose.yml"])
def test_promtool_accepts_the_configuration_with_the_rules(name: str) -> None:
    words = ["promtool", "check", "config", str(OPS / "prometheus" / name)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert "2 rule files found" in ended.stdout


def test_amtool_accepts_the_configuration_that_is_mounted() -> None:
    words = ["amtool", "check-config", str(OPS / "alertmanager/alertmanager.yml")]
    ended = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    "path",
    [path for folder in ("ops", "grafana") for kind in ("*.yml", "*.yaml") for path in sorted((ROOT / folder).rglob(kind))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_every_yaml_file_can_be_read(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert all(isinstance(document, dict) for document in documents(text))
    assert "\t" not in text
