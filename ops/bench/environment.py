"""The environment of a measurement: a durable Postgres of its own, its databases, and replicas on them."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Self

import asyncpg
import httpx

from service.embedded.cluster import Cluster
from service.store.db.migration import migrate

TEMPLATE = "migrated"
PATIENCE_S = 60.0
STATUS = re.compile(r"^(VmRSS|VmHWM):\s+(\d+) kB$", re.MULTILINE)
LOST_DURABILITY = "SELECT name FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit') AND setting <> 'on'"


class BenchError(Exception):
    """The measurement cannot be made; the text says why."""


class Replica:
    """A service on loopback as a process of its own."""

    def __init__(self, *words: str, port: int, environment: dict[str, str] | None = None) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._process = start(*words, environment=environment)

    @classmethod
    def muster(cls, dsn: str, **chosen: str) -> Self:
        """Start `muster serve` on a database, with *chosen* settings."""
        port = free_port()
        chosen |= {"MUSTER_DSN": dsn, "MUSTER_PORT": str(port), "MUSTER_LOG_LEVEL": "warning"}
        return cls("-m", "service.cli", "serve", port=port, environment=os.environ | chosen)

    @classmethod
    def baseline(cls, dsn: str) -> Self:
        """Start the baseline handler on a database."""
        port = free_port()
        return cls("-m", "ops.bench.baseline_http", dsn, str(port), port=port)

    def wait(self) -> None:
        """Return when the service is ready.

        Raises:
            BenchError: the process ended, or it is not ready in time.
        """
        deadline = time.monotonic() + PATIENCE_S
        while not answers(f"{self.url}/readyz"):
            if self._process.poll() is not None:
                raise BenchError(f"the service ended with {self._process.returncode}")
            if time.monotonic() > deadline:
                raise BenchError("the service did not become ready")
            time.sleep(0.1)

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        end(self._process)

    def memory(self) -> tuple[float, float]:
        """Return its resident memory in MiB, now and at most."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8")
        sizes = {name: int(kib) / 1024 for name, kib in STATUS.findall(status)}
        return sizes["VmRSS"], sizes["VmHWM"]


class BenchEnvironment:
    """A temporary Postgres, tuned and durable as that of `muster up`."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._numbers = count(1)

    def __enter__(self) -> Self:
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="muster-bench-", ignore_cleanup_errors=True))
        self._cluster = Cluster(Path(folder) / "postgres")
        self._stack.callback(self._cluster.stop)
        self._cluster.start()
        self.order(f"CREATE DATABASE {TEMPLATE}")
        migrate(self._cluster.dsn(TEMPLATE))
        self._require_durable()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @contextmanager
    def database(self, template: str = TEMPLATE) -> Iterator[str]:
        """Make a database from *template*, yield its address and drop it; nobody may be connected to the template."""
        name = f"bench_{next(self._numbers)}"
        self.order(f"CREATE DATABASE {name} TEMPLATE {template.rpartition('@/')[2].partition('?')[0]}")
        try:
            yield self._cluster.dsn(name)
        finally:
            self.order(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def running(self, replica: Replica) -> Iterator[Replica]:
        """Yield a replica when it is ready, and end it."""
        try:
            replica.wait()
            yield replica
        finally:
            replica.stop()

    @contextmanager
    def muster(self) -> Iterator[Replica]:
        """Run the service on a database of its own."""
        with self.database() as dsn, self.running(Replica.muster(dsn)) as replica:
            yield replica

    def order(self, statement: str, dsn: str = "") -> list[asyncpg.Record]:
        """Run one statement, as the owner."""
        return asyncio.run(ordered(dsn or self._cluster.dsn("postgres"), statement))

    def _require_durable(self) -> None:
        """Refuse to measure a Postgres that may lose what it has committed."""
        lost = self.order(LOST_DURABILITY)
        if lost:
            raise BenchError(f"not durable: {', '.join(row[0] for row in lost)}")


async def ordered(dsn: str, statement: str) -> list[asyncpg.Record]:
    """Run one statement on a connection of its own."""
    connection = await asyncpg.connect(dsn)
    try:
        found: list[asyncpg.Record] = await connection.fetch(statement)
    finally:
        await connection.close()
    return found


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def start(*words: str, environment: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a Python of ours, whose output is seen only as an error."""
    return subprocess.Popen([sys.executable, *words], env=environment, stdout=subprocess.DEVNULL, start_new_session=True)


def end(process: subprocess.Popen[bytes]) -> None:
    """End one process that we started."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def answers(url: str) -> bool:
    """Tell whether *url* answers 200."""
    try:
        return httpx.get(url, timeout=5, trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
