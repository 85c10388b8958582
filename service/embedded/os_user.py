"""The account that Postgres runs as: ourselves, or one of its own where we are root."""

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
DATABASE = Path("/etc")
"""The folder of the system's accounts."""
SPARE = "nobody"
_READ_AND_PASS = stat.S_IROTH | stat.S_IXOTH


class OsUser(NamedTuple):
    """Whom a program of Postgres is started as; None everywhere: ourselves."""

    uid: int | None = None
    gid: int | None = None
    groups: tuple[int, ...] | None = None

    def own(self, path: Path) -> None:
        """Give *path* to this account."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def open_way(self, path: Path) -> list[Path]:
        """Let this account pass through the folders down to *path*; return those that had to be opened."""
        if self.uid is None:
            return []
        closed = [folder for folder in (path, *path.parents) if not folder.stat().st_mode & stat.S_IXOTH]
        for folder in closed:
            folder.chmod(stat.S_IMODE(folder.stat().st_mode) | stat.S_IXOTH)
        return closed

    def open_tree(self, root: Path) -> None:
        """Let this account read and run what lies under *root*, as a strict umask at installation forbids."""
        if self.uid is None or root.stat().st_mode & _READ_AND_PASS == _READ_AND_PASS:
            return
        for path in (*root.rglob("*"), root):
            mode = stat.S_IMODE(path.stat().st_mode)
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))


def os_user() -> OsUser:
    """Return ourselves, or, where we are root, the account to drop to, made when it is missing."""
    if os.geteuid() != 0:
        return OsUser()
    entry = _entry(NAME) or _made() or _entry(SPARE)
    if entry is None:
        raise RuntimeError(f"Postgres refuses to run as root, and neither {NAME} nor {SPARE} is a user here")
    return OsUser(entry.pw_uid, entry.pw_gid, ())


def _made() -> pwd.struct_passwd | None:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        return None
    command = [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]
    with _alone():
        if _entry(NAME) is None:
            subprocess.run(command, check=False, capture_output=True)  # noqa: S603 - a fixed command, no input in it
    return _entry(NAME)


@contextmanager
def _alone() -> Iterator[None]:
    """Let one process at a time make the account: two `useradd` of one name both succeed, and the second changes its number."""
    folder = os.open(DATABASE, os.O_RDONLY | os.O_DIRECTORY)
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
