"""A process group: a command and every process that it has started."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Self

import msgspec

POLL_S = 0.02
KILLED_S = 2.0


class ProcessGroup(msgspec.Struct, frozen=True):
    """The group of one command. The start time of its leader tells it from a later group of the same number."""

    leader: int
    born: int

    @classmethod
    def of(cls, leader: int) -> Self:
        """Describe the group that *leader* leads now."""
        return cls(leader=leader, born=start_ticks(leader))

    @property
    def same(self) -> bool:
        """Say whether the leader still lives and is the same process as in `of`."""
        return self.born > 0 and self.born == start_ticks(self.leader)

    def send(self, number: int) -> bool:
        """Send a signal to every member; say whether there is a member."""
        try:
            os.killpg(self.leader, number)
        except ProcessLookupError:
            return False
        except PermissionError:  # there is a member, but one that runs as another user
            return True
        return True

    async def gone(self, within_s: float) -> bool:
        """Wait until the group has no member; say whether that happened in time."""
        try:
            async with asyncio.timeout(within_s):
                while self.present():  # noqa: ASYNC110  (no event says that a group has ended)
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            return False
        return True

    def present(self) -> bool:
        """Say whether the group has a member."""
        return self.send(0)

    async def stop(self, kill_after_s: float) -> None:
        """Stop the whole group with SIGTERM, and with SIGKILL what is left after *kill_after_s*."""
        if self.send(signal.SIGTERM) and not await self.gone(kill_after_s):
            self.send(signal.SIGKILL)
            await self.gone(KILLED_S)


def start_ticks(leader: int) -> int:
    """Return when *leader* was started, in clock ticks since boot; 0 without such a process, or without /proc.

    Field 22 of `stat` in proc(5). Fields are counted from the last bracket, since the program's name may hold blanks.
    """
    try:
        stat = Path(f"/proc/{leader}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    return int(stat.rpartition(")")[2].split()[19])
