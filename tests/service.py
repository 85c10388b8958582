"""The real program as its operator starts it: a process, its address, its end."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Self

import httpx

from tests.patience import PATIENCE_S

READY = re.compile(r"^Muster is ready: (?P<url>\S+)$")


PORTS = count(10_000 + os.getpid() % 1_000 * 20)  # below those that the system gives to clients; other ones for each run


def free_port() -> int:
    """Return a port that nobody listens on and that no other test was given."""
    for port in PORTS:
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("ports never end")


class Program:
    """`muster WORDS…` as a process; leaving the context ends it as Ctrl-C does."""

    def __init__(self, *words: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "service.cli", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | environment,
            start_new_session=True,
        )
        self.lines: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop(signal.SIGINT)

    def url(self) -> str:
        """Read what the program prints up to its address, and return that."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if match := READY.match(line):
                return match["url"]
        raise AssertionError(f"ended with {self.process.wait()}:\n{''.join(self.lines)}")

    def stop(self, order: signal.Signals = signal.SIGTERM) -> str:
        """Send *order*, wait for the end and return everything that was printed."""
        self.process.send_signal(order)
        return self.printed()

    def printed(self) -> str:
        """Wait for the end and return everything that was printed."""
        self.lines.append(self.process.communicate(timeout=PATIENCE_S)[0])
        return "".join(self.lines)


def get(url: str) -> httpx.Response:
    """Ask once, on a connection of its own; certificates, which take long to load, nobody has."""
    return httpx.get(url, timeout=PATIENCE_S, trust_env=False, verify=False)


def post(url: str, body: object) -> httpx.Response:
    """Order once, as `get` asks."""
    return httpx.post(url, json=body, timeout=PATIENCE_S, trust_env=False, verify=False)


def eventually(holds: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Look again until *holds* is true, less often the longer it takes."""
    began = time.monotonic()
    while not holds():
        waited = time.monotonic() - began
        assert waited < patience_s, "it never came true"
        time.sleep(min(0.02 + waited / 20, 0.2))
