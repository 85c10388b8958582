"""A real `muster work` as a process of a test: its output, its end, and nothing left behind."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]


class WorkerProcess:
    """One `muster work`, started from the command line."""

    def __init__(self, options: tuple[str, ...], command: tuple[str, ...]) -> None:
        self._worker = subprocess.Popen(
            [sys.executable, "-m", "service.cli", "work", *options, "--", *command],
            cwd=ROOT,
            text=True,
            stderr=subprocess.PIPE,
            env=os.environ | {"LC_ALL": "C.UTF-8"},
        )
        self._lines: list[str] = []
        self._printed = threading.Condition()
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def signal(self, number: int) -> None:
        """Send the worker a signal."""
        self._worker.send_signal(number)

    def kill(self) -> None:
        """Kill the worker, so that it cannot clean up or report."""
        self._worker.kill()
        self._worker.wait(PATIENCE_S)

    def wait(self, text: str) -> None:
        """Wait until the worker has printed *text*."""
        with self._printed:
            printed = self._printed.wait_for(lambda: any(text in line for line in self._lines), PATIENCE_S)
            assert printed, f"not printed within {PATIENCE_S} s: {text!r}; printed {self._lines}"

    def end(self) -> tuple[int, str]:
        """Wait until the worker has ended; return its exit code and its output."""
        code = self._worker.wait(PATIENCE_S)
        self._listener.join(PATIENCE_S)
        return code, "".join(self._lines)

    def clear(self) -> None:
        """Stop the worker and its commands, by force if they do not end."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._worker.send_signal(number)
        try:
            self._worker.wait(PATIENCE_S)
        finally:
            self._worker.kill()
            self._listener.join(PATIENCE_S)

    def _listen(self) -> None:
        assert self._worker.stderr
        with self._worker.stderr as output:
            for line in output:
                with self._printed:
                    self._lines.append(line)
                    self._printed.notify_all()
