"""The data folder: its lock, and the Postgres inside it."""

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
    """Another Muster uses the data folder."""


class FolderRefused(StartRefused):
    """The data folder cannot be created or opened."""


@contextmanager
def exclusive_folder(data_dir: Path) -> Iterator[None]:
    """Hold the lock of *data_dir*; when the process dies, the kernel releases it.

    Raises:
        FolderInUse: another process holds the lock; the message names it.
        FolderRefused: the folder cannot be created or opened.

    """
    descriptor = open_lock(data_dir)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderInUse(f"{data_dir} is in use by a running Muster (process {lock_holder(data_dir)})") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def require_lock(data_dir: Path) -> None:
    """Check that *data_dir* still names the folder whose lock we hold: it may have been moved, or replaced.

    Raises:
        FolderInUse: the lock there names another process.
        FolderRefused: the lock there cannot be read.

    """
    if (process := lock_holder(data_dir)) != str(os.getpid()):
        raise FolderInUse(f"{data_dir} is in use by a running Muster (process {process})")


def lock_holder(data_dir: Path) -> str:
    """Return the process that the lock of *data_dir* names.

    Raises:
        FolderRefused: the lock cannot be read.

    """
    try:
        return (data_dir / "lock").read_text(encoding="utf-8", errors="replace").strip() or "another process"
    except OSError as error:
        raise FolderRefused(f"the lock of {data_dir} cannot be read ({os.strerror(error.errno or 0)})") from error


def open_lock(data_dir: Path) -> int:
    """Open the lock file of *data_dir*, creating both if they are missing; return its descriptor.

    Raises:
        FolderRefused: they cannot be created or opened.

    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        return os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise FolderRefused(f"{data_dir} cannot hold a Muster ({why}): choose another with --data or MUSTER_DATA_DIR") from error


@contextmanager
def served(data_dir: Path) -> Iterator[str]:
    """Run the Postgres in a locked *data_dir*, restart it when it dies, and stop it at the end; yield its database's address."""
    cluster = Cluster(data_dir / "postgres")

    def resume() -> None:
        require_lock(data_dir)
        cluster.resume()

    try:
        for folder in cluster.start():
            _log.warning("made %s traversable for others (o+x): Postgres runs as an account of its own", folder)
        with kept_alive(cluster, resume):
            yield cluster.dsn()
    finally:
        cluster.stop()


@contextmanager
def running(data_dir: Path) -> Iterator[str]:
    """Lock *data_dir* and run its Postgres."""
    with exclusive_folder(data_dir), served(data_dir) as dsn:
        yield dsn


@contextmanager
def attached(data_dir: Path) -> Iterator[str]:
    """Yield the address of the database in *data_dir*: of a Muster that runs there, or started for the caller."""
    with ExitStack() as stack:
        try:
            dsn = stack.enter_context(running(data_dir))
        except FolderInUse:
            dsn = _dsn_of_other(Cluster(data_dir / "postgres"))
        yield dsn


def _dsn_of_other(cluster: Cluster) -> str:
    """Return the address of a server that another process has started or is starting."""
    deadline = time.monotonic() + ATTACH_S
    while cluster.ready() is None:
        if time.monotonic() > deadline:
            raise ClusterBroken(f"{cluster.folder} is in use, but its Postgres does not answer")
        time.sleep(_PAUSE_S)
    return cluster.dsn()
