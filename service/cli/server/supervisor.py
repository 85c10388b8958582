"""Runs several replicas on one socket: starts, watches, replaces and stops them."""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from service.settings import Settings

POLL_S = 0.2
RESTART_S = 1.0
STOP_MARGIN_S = 10.0

_log = logging.getLogger(__name__)


def supervise(settings: Settings, listener: socket.socket, count: int) -> None:
    """Keep *count* replicas alive on *listener* until a signal comes, then drain them."""
    with stop_signal() as stop:
        replicas = [start(settings, listener) for _ in range(count)]
        try:
            while not stop.wait(POLL_S):
                for index, replica in enumerate(replicas):
                    if replica.poll() is not None:
                        _log.error("replica %d ended with %s, starting another", replica.pid, replica.returncode)
                        stop.wait(RESTART_S)
                        replicas[index] = start(settings, listener)
        finally:
            drain(replicas, settings.settle_s + settings.drain_timeout_s + STOP_MARGIN_S)


def start(settings: Settings, listener: socket.socket) -> subprocess.Popen[bytes]:
    """Start a replica; it ends by itself when its standard input is closed, which happens when this process dies."""
    descriptor = listener.fileno()
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "service.cli", "serve", "--fd", str(descriptor)],
        stdin=subprocess.PIPE,
        pass_fds=[descriptor],
        env=os.environ | settings.environment(),
        start_new_session=True,  # Ctrl-C reaches this process alone, which passes it on
    )


def drain(replicas: list[subprocess.Popen[bytes]], timeout_s: float) -> None:
    """Ask every replica to end, wait, and kill those that have not ended."""
    for replica in replicas:
        replica.terminate()
    deadline = time.monotonic() + timeout_s
    for replica in replicas:
        try:
            replica.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            _log.error("replica %d did not drain, killing it", replica.pid)
            replica.kill()
            replica.wait()


@contextmanager
def stop_signal() -> Iterator[threading.Event]:
    """Yield an event that Ctrl-C or SIGTERM sets."""
    stop = threading.Event()
    before = {sig: signal.signal(sig, lambda *_: stop.set()) for sig in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for sig, handler in before.items():
            signal.signal(sig, handler)
