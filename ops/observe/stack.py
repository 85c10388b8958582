"""The Debian Prometheus and Alertmanager with our files, on loopback, as children that end with us."""

import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

OPS = Path(__file__).parents[1]
PATIENCE_S = 60.0
MUSTER, ALERTMANAGER, SINK = "127.0.0.1:8110", "127.0.0.1:9093", "127.0.0.1:9099"
QUICK = {
    "scrape_interval: 15s": "scrape_interval: 1s",
    "evaluation_interval: 15s": "evaluation_interval: 1s",
    "group_wait: 30s": "group_wait: 1s",
    "group_interval: 5m": "group_interval: 1s",
}


class NotStarted(Exception):
    """Something did not start; the text says what and why."""


def rendered(name: str, changes: Mapping[str, str]) -> str:
    """Return the text of file *name* below ops/ with each key of *changes* replaced by its value."""
    text = (OPS / name).read_text(encoding="utf-8")
    for old, new in changes.items():
        text = text.replace(old, new)
    return text


class Child:
    """One program that we started; leaving the context ends that program and nothing else."""

    def __init__(self, program: str, words: Sequence[str], log: Path, port: int) -> None:
        found = shutil.which(program)
        if found is None:
            raise NotStarted(f"{program} is missing: apt-get install prometheus prometheus-alertmanager")
        if _taken(port):
            raise NotStarted(f"port {port} is taken; choose another with --{program.removeprefix('prometheus-')}-port")
        self.program, self._log, self._ready = program, log, f"http://127.0.0.1:{port}/-/ready"
        self._out = log.open("w")
        self.process = subprocess.Popen(
            [found, *words], stdout=self._out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True
        )

    def __enter__(self) -> Self:
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._out.close()

    def _wait(self) -> None:
        """Return when the program answers that it is ready."""
        deadline = time.monotonic() + PATIENCE_S
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(self._ready, timeout=1):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise NotStarted(f"{self.program} did not start:\n{self._log.read_text(errors='replace')[-2000:]}")


def _taken(port: int) -> bool:
    """Tell whether *port* is in use: another Prometheus on this machine would answer in place of ours."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def alertmanager(folder: Path, port: int, changes: Mapping[str, str]) -> Child:
    """Start Alertmanager with ops/alertmanager/alertmanager.yml, *changes* applied."""
    config = folder / "alertmanager.yml"
    config.write_text(rendered("alertmanager/alertmanager.yml", changes), encoding="utf-8")
    words = [
        f"--config.file={config}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        "--log.level=warn",
    ]
    return Child("prometheus-alertmanager", words, folder / "alertmanager.log", port)


def prometheus(folder: Path, port: int, changes: Mapping[str, str]) -> Child:
    """Start Prometheus with ops/prometheus/, *changes* applied."""
    for name in ("prometheus.yml", "muster.rules.yml", "muster.alerts.yml"):
        (folder / name).write_text(rendered(f"prometheus/{name}", changes), encoding="utf-8")
    words = [
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--enable-feature=exemplar-storage",
        "--log.level=warn",
    ]
    return Child("prometheus", words, folder / "prometheus.log", port)
