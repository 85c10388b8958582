"""Finds and stops the Postgres that serves a folder, by `postmaster.pid` and `/proc`."""

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
    """The running server of a folder, as `postmaster.pid` describes it."""

    pid: int
    port: int
    sockets: Path
    ready: bool


def find(folder: Path) -> Postmaster | None:
    """Return the server that runs on *folder*; None when `postmaster.pid` is absent, half written or stale."""
    try:
        lines = _lines(folder)
        found = Postmaster(int(lines[0]), int(lines[3]), Path(lines[4]), lines[7].strip() == "ready")
    except (OSError, ValueError, IndexError):
        return None
    return found if serves(found.pid, folder) else None


def serves(pid: int, folder: Path) -> bool:
    """Tell by its command line whether *pid* is a postmaster that was started on *folder*."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return Path(os.fsdecode(words[0])).name == "postgres" and os.fsencode(folder) in words


def stop(pid: int, folder: Path) -> None:
    """Stop the postmaster *pid* of *folder* by a fast shutdown; when that takes too long, by an immediate one."""
    for order, patience in ((signal.SIGINT, FAST_STOP_S), (signal.SIGQUIT, IMMEDIATE_STOP_S)):
        if not serves(pid, folder):
            return
        os.kill(pid, order)
        deadline = time.monotonic() + patience
        while serves(pid, folder) and time.monotonic() < deadline:
            time.sleep(_PAUSE_S)


def remove_lock_files(folder: Path) -> None:
    """Remove the lock files of a dead server once its last child has detached from the shared memory.

    Postgres itself does not start while any process has the number in the file, even a zombie, or another program after a reboot.

    Raises:
        TimeoutError: a child does not end.

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
    """Tell whether any process is attached to the shared memory *segment* of *key*."""
    for line in Path("/proc/sysvipc/shm").read_text(encoding="ascii").splitlines()[1:]:
        words = line.split()
        if int(words[0]) & 0xFFFFFFFF == int(key or "0") & 0xFFFFFFFF and words[1] == segment:
            return words[_USERS_COLUMN] != "0"
    return False
