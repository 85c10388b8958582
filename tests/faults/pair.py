"""A primary and a standby that streams from it, over a line that falls silent as a test orders."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import asyncpg
from typing_extensions import override

from service.embedded import postmaster
from service.embedded.cluster import Cluster
from service.embedded.os_user import os_user
from service.embedded.postmaster import Postmaster
from service.store.db.migration import migrate
from tests.faults.proxy import Line
from tests.postgres import QUICK, Server, folder
from tests.replica import eventually

IMPATIENT = {"wal_retrieve_retry_interval": "100ms"}
"""A standby that looks for its primary less often may be asked to take over five seconds before it does."""


class Standby(Cluster):
    """A cluster that takes connections for reading alone, until it is promoted."""

    @override
    def ready(self) -> Postmaster | None:
        return postmaster.find(self.folder)


class Pair:
    """Two servers of one log; *line* carries it from the first to the second."""

    def __init__(self, place: Path, primary: Server, name: str, line: Line) -> None:
        self.primary = primary
        self.name = name
        self.line = line
        self.standby = Standby(place / "standby", binaries=primary.binaries, overrides=QUICK | IMPATIENT)

    @classmethod
    @asynccontextmanager
    async def streaming(cls) -> AsyncIterator[Self]:
        """Run both, at the head of the schema, until the end."""
        with folder() as place, Server(Path(place) / "primary") as primary:
            name = await asyncio.to_thread(primary.create)
            await asyncio.to_thread(migrate, primary.dsn(name))
            async with Line(primary.dsn(name)) as line:
                pair = cls(Path(place), primary, name, line)
                try:
                    await asyncio.to_thread(pair.copy)
                    await eventually(pair.streams)
                    yield pair
                finally:
                    line.cut()  # for which the loop has to turn while they stop
                    for cluster in (pair.standby, primary.cluster):
                        await asyncio.to_thread(cluster.stop)

    @property
    def dsn(self) -> str:
        """The address of whichever of the two takes writes; the standby is asked first."""
        return self.primary.dsn(self.name).replace("host=", f"host={self.standby.folder},").replace("port=", "port=5432,")

    def copy(self) -> None:
        """Make the standby of the primary, and start it."""
        self.standby.folder.mkdir(mode=0o700)
        os_user().own(self.standby.folder)
        shutil.copy(self.primary.cluster.password, self.standby.password)
        place = [f"--dbname={self.line.dsn}", f"--pgdata={self.standby.folder}", "--write-recovery-conf"]
        self.primary.cluster._run("pg_basebackup", *place, "--checkpoint=fast", "--no-sync")
        self.standby.start()

    async def order(self, server: Server | Standby, order: str) -> object:
        """Return the one value that a server answers."""
        connection = await asyncpg.connect(server.dsn(self.name))
        try:
            return await connection.fetchval(order)
        finally:
            await connection.close()

    async def streams(self) -> object:
        """Tell whether the standby follows."""
        return await self.order(self.primary, "SELECT true FROM pg_stat_replication WHERE state = 'streaming'")

    async def caught_up(self) -> object:
        """Tell whether the standby has all that was committed until now."""
        return await self.order(self.primary, "SELECT replay_lsn >= pg_current_wal_flush_lsn() FROM pg_stat_replication")

    async def lose_primary(self) -> None:
        """Kill the primary at once, and return when nothing of it is left."""
        found = self.primary.cluster.ready()
        assert found is not None
        os.kill(found.pid, signal.SIGQUIT)

        async def gone() -> bool:
            return not postmaster.serves(found.pid, self.primary.cluster.folder)

        await eventually(gone)
        self.line.away = True
        self.line.cut()

    async def promote(self) -> None:
        """Let the standby take writes."""
        assert await self.order(self.standby, "SELECT pg_promote()")
