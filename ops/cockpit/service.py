"""A Muster of one's own for the time of a scene."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

READY = re.compile(r"Muster is ready: (?P<url>\S+)")
END_S = 30


@contextmanager
def started(folder: Path) -> Iterator[str]:
    """Run `muster up` with its data in *folder*, on a port that is free, and give its address."""
    words = [sys.executable, "-m", "service.cli", "up", "--data", str(folder / "data"), "--port", str(free_port())]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    try:
        yield address(process)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=END_S)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def address(process: subprocess.Popen[str]) -> str:
    """Read what the program prints up to its address, and return that."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if found := READY.search(line):
            return found["url"]
    raise RuntimeError("".join(said))
