"""A double of the service, and real workers that run against it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.work.double import ServiceDouble

ROOT = Path(__file__).parents[2]

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def service() -> Iterator[ServiceDouble]:
    """Play the service on a loopback port."""
    with ServiceDouble() as double:
        yield double


@pytest.fixture
def start(service: ServiceDouble, tmp_path: Path) -> Iterator[Start]:
    """Start `muster work` as a person would; what still runs at the end is killed."""
    workers: list[subprocess.Popen[str]] = []

    def start(*options: str, command: tuple[str, ...]) -> "subprocess.Popen[str]":
        line = [sys.executable, "-m", "service.cli", "work", "--campaign", "c", "--url", service.url]
        line += ["--spool", str(tmp_path / "spool"), "--wait", "0.5", *options, "--", *command]
        worker = subprocess.Popen(
            line, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"LC_ALL": "C.UTF-8"}
        )
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        worker.kill()
        worker.communicate()
