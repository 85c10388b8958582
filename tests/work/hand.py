"""A real worker as a test holds it: what it tells, how it ends, and nothing left behind."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]


class Hand:
    """One `muster work`, started as a person would."""

    def __init__(self, options: tuple[str, ...], command: tuple[str, ...]) -> None:
        self._worker = subprocess.Popen(
            [sys.executable, "-m", "service.cli", "work", *options, "--", *command],
            cwd=ROOT,
            text=True,
            stderr=subprocess.PIPE,
            env=os.environ | {"LC_ALL": "C.UTF-8"},
        )
        self._lines: list[str] = []
        self._told = threading.Condition()
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def signal(self, number: int) -> None:
        """Send the worker a signal."""
        self._worker.send_signal(number)

    def kill(self) -> None:
        """End the worker as a crash would, without a last word."""
        self._worker.kill()
        self._worker.wait(PATIENCE_S)

    def wait(self, text: str) -> None:
        """Wait until the worker has told *text*."""
        with self._told:
            found = self._told.wait_for(lambda: any(text in line for line in self._lines), PATIENCE_S)
            assert found, f"not told within {PATIENCE_S} s: {text!r}; told {self._lines}"

    def end(self) -> tuple[int, str]:
        """Wait until the worker has ended; return its code and all that it told."""
        code = self._worker.wait(PATIENCE_S)
        self._listener.join(PATIENCE_S)
        return code, "".join(self._lines)

    def clear(self) -> None:
        """Stop the worker and its commands, whatever it takes."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._worker.send_signal(number)
        try:
            self._worker.wait(PATIENCE_S)
        finally:
            self._worker.kill()
            self._listener.join(PATIENCE_S)

    def _listen(self) -> None:
        assert self._worker.stderr
        with self._worker.stderr as told:
            for line in told:
                with self._told:
                    self._lines.append(line)
                    self._told.notify_all()
