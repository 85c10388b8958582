"""The workers of the night: `muster work` processes with names, so that each can be struck by its own misfortune."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

HANDS = 1


class WorkerProcesses:
    """Worker processes by name; leaving the context ends all of them."""

    def __init__(self, url: str, campaigns: list[str], scratch: Path) -> None:
        self._scratch = scratch
        named = [word for name in campaigns for word in ("--campaign", name)]
        self._line = [sys.executable, "-m", "service.cli", "work", "--url", url, *named, "--wait", "1", "--grace", "2"]
        action = [sys.executable, "-m", "ops.demo.night.unit_command", "{payload.action}", "{payload.seconds}", str(scratch)]
        self._command = ["--concurrency", str(HANDS), "--", *action]
        self._workers: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers.values():
            worker.send_signal(signal.SIGCONT)
            worker.terminate()
        for worker in self._workers.values():
            worker.wait()

    def start(self, name: str) -> None:
        """Start a worker; what it tells goes to a file."""
        spool = ["--worker", name, "--spool", str(self._scratch / f"spool-{name}")]
        with (self._scratch / f"{name}.log").open("ab") as told:
            self._workers[name] = subprocess.Popen([*self._line, *spool, *self._command], stderr=told, env=os.environ.copy())

    def send_signal(self, name: str, order: signal.Signals) -> None:
        """Send a signal to one worker."""
        self._workers[name].send_signal(order)
