"""A pgbouncer in transaction mode before a Postgres, as an operator has it; it can be led to another one."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

from service.embedded.os_user import os_user
from tests.replica import eventually

PROGRAM = Path("/usr/sbin/pgbouncer")
CONFIGURATION = """
[databases]
{databases}
[pgbouncer]
listen_addr =
unix_socket_dir = {folder}
listen_port = 6432
pool_mode = transaction
auth_type = trust
auth_file = {folder}/users
default_pool_size = {size}
server_login_retry = 0.1
server_check_delay = 0
query_wait_timeout = 1.5
"""


class Bouncer:
    """A running pgbouncer; whoever asks it is believed, and logs in to Postgres as the address behind says."""

    def __init__(self, folder: Path, dsn: str, *, size: int = 4) -> None:
        self.folder = folder
        self._size = size
        self._account = os_user()
        self._running: subprocess.Popen[bytes] | None = None
        self._lead(dsn)

    @property
    def dsn(self) -> str:
        """The address that clients are given."""
        return f"postgresql://{self._user}@/muster?host={self.folder}&port=6432"

    def _lead(self, dsn: str) -> None:
        parts = urlsplit(dsn)
        asked = parse_qs(parts.query)
        self._user = parts.username
        secret = unquote(parts.password or "").replace("'", "''")
        behind = f"host={asked['host'][0]} port={asked['port'][0]} dbname={parts.path[1:]}"
        database = f"muster = {behind} user={parts.username} password='{secret}'"
        (self.folder / "bouncer.ini").write_text(CONFIGURATION.format(databases=database, folder=self.folder, size=self._size))
        (self.folder / "users").write_text(f'"{parts.username}" ""\n')

    async def __aenter__(self) -> Self:
        self._running = self._started()

        async def listens() -> bool:
            return (self.folder / ".s.PGSQL.6432").exists()

        await eventually(listens)
        return self

    def _started(self) -> subprocess.Popen[bytes]:
        self._account.own(self.folder)
        with (self.folder / "bouncer.log").open("wb") as log:
            return subprocess.Popen(
                [PROGRAM, self.folder / "bouncer.ini"], stdout=log, stderr=log, cwd="/",
                user=self._account.uid, group=self._account.gid, extra_groups=self._account.groups,
            )  # fmt: skip

    async def __aexit__(self, *_: object) -> None:
        assert self._running is not None
        self._running.terminate()
        self._running.wait()

    def lead(self, dsn: str) -> None:
        """Go on with another Postgres; clients stay connected."""
        assert self._running is not None
        self._lead(dsn)
        os.kill(self._running.pid, signal.SIGHUP)
