"""The operating system account that Postgres runs as: the current one, or one of its own when Muster runs as root."""

import fcntl
import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

NAME = "muster"
ACCOUNTS = Path("/etc")
"""The folder of the account database; its lock serialises the creation of the account."""
SPARE = "nobody"
_READ_AND_PASS = stat.S_IROTH | stat.S_IXOTH


class OsUser(NamedTuple):
    """The account that programs of Postgres run as; None in each field stands for the current one."""

    uid: int | None = None
    gid: int | None = None
    groups: tuple[int, ...] | None = None

    def own(self, path: Path) -> None:
        """Give *path* to this account."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def open_way(self, path: Path) -> list[Path]:
        """Make the folders down to *path* traversable for this account; return those that were changed."""
        if self.uid is None:
            return []
        closed = [folder for folder in (path, *path.parents) if not folder.stat().st_mode & stat.S_IXOTH]
        for folder in closed:
            folder.chmod(stat.S_IMODE(folder.stat().st_mode) | stat.S_IXOTH)
        return closed

    def open_tree(self, root: Path) -> None:
        """Make everything under *root* readable and executable for this account: an installation with a strict umask is not."""
        if self.uid is None or root.stat().st_mode & _READ_AND_PASS == _READ_AND_PASS:
            return
        for path in (*root.rglob("*"), root):
            mode = stat.S_IMODE(path.stat().st_mode)
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))


def os_user() -> OsUser:
    """Return the current account, or, for root, the account to drop to, which is created if it is missing.

    Raises:
        RuntimeError: there is no such account, and none could be created.

    """
    if os.geteuid() != 0:
        return OsUser()
    entry = _entry(NAME) or _created() or _entry(SPARE)
    if entry is None:
        raise RuntimeError(f"Postgres refuses to run as root, and neither {NAME} nor {SPARE} is a user here")
    return OsUser(entry.pw_uid, entry.pw_gid, ())


def _created() -> pwd.struct_passwd | None:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        return None
    command = [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]
    with _creation_lock():
        if _entry(NAME) is None:
            subprocess.run(command, check=False, capture_output=True)  # noqa: S603 - a fixed command, no input in it
    return _entry(NAME)


@contextmanager
def _creation_lock() -> Iterator[None]:
    """Hold a lock while the account is created: two `useradd` of one name both succeed, and the second changes its number."""
    folder = os.open(ACCOUNTS, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None
