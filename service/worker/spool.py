"""The spool: debts on disk, so that a finished result outlives the worker that produced it."""

import fcntl
import os
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import msgspec

from service.worker.spool_entry import SpoolEntry

LOCK = "lock"
REFUSED = "refused"


class Spool:
    """One worker's folder under *root*; folders of workers that have died are taken over.

    A worker holds a lock on its folder for as long as it lives, so a folder whose lock is free
    belongs to nobody. One folder per service keeps apart what is owed to each.
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
        """Read what is owed; a file that says nothing readable is put aside."""
        for file in sorted(self._folder.glob("*.json")):
            try:
                yield msgspec.json.decode(file.read_bytes(), type=SpoolEntry)
            except msgspec.MsgspecError:
                self._put_aside(file)

    def note(self, entry: SpoolEntry) -> None:
        """Write that a claim is held; a machine that crashes may lose this, a worker may not."""
        self._write(entry, durable=False)

    def keep(self, entry: SpoolEntry) -> None:
        """Write an outcome so that it is on disk when this returns."""
        self._write(entry, durable=True)

    def forget(self, entry: SpoolEntry) -> None:
        """Remove what is no longer owed."""
        (self._folder / entry.file).unlink(missing_ok=True)

    def refuse(self, entry: SpoolEntry) -> None:
        """Put aside, for a person to see, what the service will never take."""
        self._put_aside(self._folder / entry.file)

    def close(self) -> None:
        """Leave; an empty folder is removed, another is left to the next worker."""
        with Lock(self._root / LOCK):
            self._lock.release()
            if not any(self._folder.glob("*.json")):
                discard(self._folder)

    def _write(self, entry: SpoolEntry, *, durable: bool) -> None:
        file = self._folder / entry.file
        fresh = file.with_suffix(".new")
        with fresh.open("wb") as sheet:
            sheet.write(msgspec.json.encode(entry))
            sheet.flush()
            if durable:
                os.fsync(sheet.fileno())
        fresh.replace(file)
        if durable:
            sync(self._folder)

    def _put_aside(self, file: Path) -> None:
        aside = self._root / REFUSED
        aside.mkdir(exist_ok=True, mode=0o700)
        if file.exists():
            file.replace(aside / file.name)

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
    """A lock on a file, held until it is released or its owner ends."""

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
        """Let another have the file."""
        os.close(self._descriptor)


def sync(folder: Path) -> None:
    """Make the folder's entries durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def discard(folder: Path) -> None:
    """Remove a folder that holds no debt."""
    for file in folder.iterdir():
        file.unlink(missing_ok=True)
    folder.rmdir()
