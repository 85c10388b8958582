"""A data folder in use: who holds it, and the database inside it."""

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from service.embedded.cluster import Cluster, ClusterBroken
from service.embedded.keeper import kept_alive
from service.settings import StartRefused

_log = logging.getLogger(__name__)

ATTACH_S = 30.0
_PAUSE_S = 0.1


class FolderInUse(StartRefused):
    """Another Muster holds the data folder."""


class FolderRefused(StartRefused):
    """The data folder cannot be made or opened."""


@contextmanager
def exclusive_folder(data_dir: Path) -> Iterator[None]:
    """Hold *data_dir* alone until the end; the system lets go when we die.

    Raises:
        FolderInUse: naming the process that holds it.
        FolderRefused: saying why it cannot be made or opened.

    """
    descriptor = locked(data_dir)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderInUse(f"{data_dir} is in use by a running Muster (process {holder(data_dir)})") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def require_held(data_dir: Path) -> None:
    """Make sure that the folder we hold still is what *data_dir* names: it may have been moved, or replaced by another.

    Raises:
        FolderInUse: naming the process that holds what is there now.
        FolderRefused: saying why it cannot be opened.

    """
    if (now := holder(data_dir)) != str(os.getpid()):
        raise FolderInUse(f"{data_dir} is in use by a running Muster (process {now})")


def holder(data_dir: Path) -> str:
    """Return the process that the lock of *data_dir* names."""
    try:
        return (data_dir / "lock").read_text(encoding="utf-8", errors="replace").strip() or "another process"
    except OSError as error:
        raise FolderRefused(f"the lock of {data_dir} cannot be read ({os.strerror(error.errno or 0)})") from error


def locked(data_dir: Path) -> int:
    """Return the open lock of *data_dir*, which is made if it is missing."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        return os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise FolderRefused(f"{data_dir} cannot hold a Muster ({why}): choose another with --data or MUSTER_DATA_DIR") from error


@contextmanager
def served(data_dir: Path) -> Iterator[str]:
    """Run the Postgres of a held *data_dir* and yield its database's address; start it again when it dies, stop it at the end."""
    cluster = Cluster(data_dir / "postgres")

    def resume() -> None:
        require_held(data_dir)
        cluster.resume()

    try:
        for folder in cluster.start():
            _log.warning("opened %s for passing through (o+x): Postgres runs as an account of its own", folder)
        with kept_alive(cluster, resume):
            yield cluster.dsn()
    finally:
        cluster.stop()


@contextmanager
def running(data_dir: Path) -> Iterator[str]:
    """Hold *data_dir* and run its Postgres, as `held` and `served` do."""
    with exclusive_folder(data_dir), served(data_dir) as dsn:
        yield dsn


@contextmanager
def attached(data_dir: Path) -> Iterator[str]:
    """Yield the address of the database in *data_dir*: of the Muster that runs there, or started for us."""
    with ExitStack() as stack:
        try:
            dsn = stack.enter_context(running(data_dir))
        except FolderInUse:
            dsn = _shared(Cluster(data_dir / "postgres"))
        yield dsn


def _shared(cluster: Cluster) -> str:
    """Return the address of a server somebody else is starting or has started."""
    deadline = time.monotonic() + ATTACH_S
    while cluster.ready() is None:
        if time.monotonic() > deadline:
            raise ClusterBroken(f"{cluster.folder} is in use, but its Postgres does not answer")
        time.sleep(_PAUSE_S)
    return cluster.dsn()
