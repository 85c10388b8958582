"""A fake service, and real workers that run against it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.work.fake_service import FakeService
from tests.work.worker_process import WorkerProcess

Start = Callable[..., WorkerProcess]


@pytest.fixture
def service() -> Iterator[FakeService]:
    """A fake service on a loopback port."""
    with FakeService() as fake:
        yield fake


@pytest.fixture
def start(service: FakeService, tmp_path: Path) -> Iterator[Start]:
    """A function that starts workers; at the end they and their commands are stopped."""
    workers: list[WorkerProcess] = []

    def start(*options: str, command: tuple[str, ...]) -> WorkerProcess:
        usual = ("--campaign", "c", "--url", service.url, "--spool", str(tmp_path / "spool"), "--wait", "0.5")
        workers.append(WorkerProcess((*usual, *options), command))
        return workers[-1]

    yield start
    service.set_away(away=False)
    for worker in workers:
        worker.clear()
