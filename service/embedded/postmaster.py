"""What `postmaster.pid` and `/proc` say about the Postgres that serves a folder."""

import os
import signal
import time
from pathlib import Path
from typing import NamedTuple

SOCKET = ".s.PGSQL.5432"
FAST_STOP_S = 60.0
IMMEDIATE_STOP_S = 10.0
ORPHANS_S = 10.0
_PAUSE_S = 0.05
_MEMORY_LINE = 6
_USERS_COLUMN = 6


class Postmaster(NamedTuple):
    """The running server of a folder, as its `postmaster.pid` tells it."""

    pid: int
    port: int
    sockets: Path
    ready: bool


def find(folder: Path) -> Postmaster | None:
    """Return the server that runs on *folder*; None when the file is absent, half written or stale."""
    try:
        lines = _lines(folder)
        found = Postmaster(int(lines[0]), int(lines[3]), Path(lines[4]), lines[7].strip() == "ready")
    except (OSError, ValueError, IndexError):
        return None
    return found if serves(found.pid, folder) else None


def serves(pid: int, folder: Path) -> bool:
    """Tell whether *pid* is a postmaster that was started on *folder*: its own command line says so."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return Path(os.fsdecode(words[0])).name == "postgres" and os.fsencode(folder) in words


def stop(pid: int, folder: Path) -> None:
    """Stop the postmaster *pid* of *folder*: fast, and at once when fast is not fast enough."""
    for order, patience in ((signal.SIGINT, FAST_STOP_S), (signal.SIGQUIT, IMMEDIATE_STOP_S)):
        if not serves(pid, folder):
            return
        os.kill(pid, order)
        deadline = time.monotonic() + patience
        while serves(pid, folder) and time.monotonic() < deadline:
            time.sleep(_PAUSE_S)


def forget(folder: Path) -> None:
    """Remove the lock files of a dead server, once its last child has let go of the shared memory.

    Postgres itself believes any living process of that number, a zombie or a stranger after a reboot.
    """
    lines = _lines(folder)
    deadline = time.monotonic() + ORPHANS_S
    while len(lines) > _MEMORY_LINE and _attached(*lines[_MEMORY_LINE].split()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"children of a dead Postgres still work on {folder}")
        time.sleep(_PAUSE_S)
    for left in ("postmaster.pid", f"{SOCKET}.lock", SOCKET):
        (folder / left).unlink(missing_ok=True)


def _lines(folder: Path) -> list[str]:
    try:
        return (folder / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


def _attached(key: str = "", segment: str = "") -> bool:
    """Tell whether anybody has the shared memory *segment* of *key*."""
    for line in Path("/proc/sysvipc/shm").read_text(encoding="ascii").splitlines()[1:]:
        words = line.split()
        if int(words[0]) & 0xFFFFFFFF == int(key or "0") & 0xFFFFFFFF and words[1] == segment:
            return words[_USERS_COLUMN] != "0"
    return False
