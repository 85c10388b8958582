"""The workers of the demo: `muster work`, several times, until the campaign is drained."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Self

ENDED_WELL = frozenset({0, 1})


class Workers:
    """Real worker processes; leaving the context stops those that still run."""

    def __init__(self, url: str, campaign: str, scratch: Path, command: Sequence[str]) -> None:
        self._scratch = scratch
        options = ["--url", url, "--campaign", campaign, "--spool", str(scratch / "spool")]
        self._line = [sys.executable, "-m", "service.cli", "work", "--until-drained", *options]
        self._command = ["--", *command]
        self._children: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._children:
            child.terminate()
        for child in self._children:
            child.wait()

    def start(self, count: int, concurrency: int) -> None:
        """Start *count* workers; what they tell goes to a file each."""
        environment = os.environ | {"PYTHONPYCACHEPREFIX": str(self._scratch / "pycache")}
        for number in range(1, count + 1):
            line = [*self._line, "--concurrency", str(concurrency), *self._command]
            with (self._scratch / f"worker-{number}.log").open("ab") as told:
                self._children.append(subprocess.Popen(line, stderr=told, env=environment))

    @property
    def running(self) -> int:
        """Count the workers that have not ended."""
        return sum(child.poll() is None for child in self._children)

    @property
    def failed(self) -> list[int]:
        """Return the codes of workers that ended otherwise than with a drained campaign."""
        return [code for child in self._children if (code := child.poll()) is not None and code not in ENDED_WELL]
