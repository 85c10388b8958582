"""The spool: claims and results on disk, so that a finished result outlives the worker that produced it."""

import fcntl
import hashlib
import os
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import msgspec

from service.client.claim_types import Outcome
from service.worker.process_group import ProcessGroup

LOCK = "lock"
REFUSED = "refused"


class SpoolEntry(msgspec.Struct, frozen=True):
    """A claim that the worker must answer: who holds it, the process group of its command, and the outcome once there is one."""

    worker: str
    campaign: str
    key: str
    token: str
    group: ProcessGroup | None = None
    outcome: Outcome | None = None

    @property
    def name(self) -> str:
        """Name the unit as console and logs print it."""
        return f"{self.campaign}/{self.key}"

    @property
    def file(self) -> str:
        """Name the file of the entry; the hash keeps the token, which is a right, out of a listing of the folder."""
        return hashlib.sha256(self.token.encode()).hexdigest()[:32] + ".json"


class Spool:
    """One worker's folder under *root*; the entries of workers that have died are moved into it.

    A worker locks its folder for as long as it lives, so a folder whose lock is free belongs to a worker that
    has died. Each service has a folder of its own, so that no result is delivered to another one.
    """

    def __init__(self, root: Path, url: str) -> None:
        self._root = root / re.sub(r"\W+", "_", url)
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = self._root / uuid.uuid4().hex[:12]
        with Lock(self._root / LOCK):
            self._folder.mkdir(mode=0o700)
            self._lock = Lock(self._folder / LOCK)
            for folder in self._root.iterdir():
                self._take_over(folder)

    def entries(self) -> Iterator[SpoolEntry]:
        """Read the entries; a file that cannot be decoded is put aside."""
        for file in sorted(self._folder.glob("*.json")):
            try:
                yield msgspec.json.decode(file.read_bytes(), type=SpoolEntry)
            except msgspec.MsgspecError:
                self._move_aside(file)

    def note(self, entry: SpoolEntry) -> None:
        """Write that a claim is held. Without fsync: it must survive a crash of the worker, not one of the machine."""
        self._write(entry, durable=False)

    def keep(self, entry: SpoolEntry) -> None:
        """Write an outcome so that it is on disk when this returns."""
        self._write(entry, durable=True)

    def forget(self, entry: SpoolEntry) -> None:
        """Remove an entry that the service has answered."""
        (self._folder / entry.file).unlink(missing_ok=True)

    def put_aside(self, entry: SpoolEntry) -> None:
        """Move an outcome that the service refuses for good to where a person can look at it."""
        self._move_aside(self._folder / entry.file)

    def close(self) -> None:
        """Unlock the folder; remove it when it is empty, else leave it to the next worker."""
        with Lock(self._root / LOCK):
            self._lock.release()
            if not any(self._folder.glob("*.json")):
                discard(self._folder)

    def _write(self, entry: SpoolEntry, *, durable: bool) -> None:
        file = self._folder / entry.file
        unfinished = file.with_suffix(".new")
        with unfinished.open("wb") as output:
            output.write(msgspec.json.encode(entry))
            output.flush()
            if durable:
                os.fsync(output.fileno())
        unfinished.replace(file)  # a reader sees the whole entry or none
        if durable:
            sync(self._folder)

    def _move_aside(self, file: Path) -> None:
        refused = self._root / REFUSED
        refused.mkdir(exist_ok=True, mode=0o700)
        if file.exists():
            file.replace(refused / file.name)

    def _take_over(self, folder: Path) -> None:
        if folder in (self._folder, self._root / REFUSED) or not folder.is_dir():
            return
        try:
            lock = Lock(folder / LOCK, wait=False)
        except BlockingIOError:
            return
        for file in folder.glob("*.json"):
            file.replace(self._folder / file.name)
        lock.release()
        discard(folder)


class Lock:
    """A lock on a file, held until it is released or its process ends.

    Raises:
        BlockingIOError: another process holds the lock, and *wait* is false.

    """

    def __init__(self, file: Path, *, wait: bool = True) -> None:
        self._descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            self.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Unlock the file."""
        os.close(self._descriptor)


def sync(folder: Path) -> None:
    """Make the folder's entries durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def discard(folder: Path) -> None:
    """Remove a folder without entries."""
    for file in folder.iterdir():
        file.unlink(missing_ok=True)
    folder.rmdir()
