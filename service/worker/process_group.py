"""A process group: a command and everything that it has started."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Self

import msgspec

LOOK_S = 0.02
KILLED_S = 2.0


class ProcessGroup(msgspec.Struct, frozen=True):
    """The group of one command, told from a later one of the same number by its leader's birth."""

    leader: int
    born: int

    @classmethod
    def of(cls, leader: int) -> Self:
        """Describe the group that *leader* leads now."""
        return cls(leader=leader, born=birth(leader))

    @property
    def same(self) -> bool:
        """Say whether the leader still lives and is the one that was described."""
        return self.born > 0 and self.born == birth(self.leader)

    def send(self, number: int) -> bool:
        """Send a signal to every member; say whether there was one."""
        try:
            os.killpg(self.leader, number)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True

    async def gone(self, within_s: float) -> bool:
        """Wait until nobody is left, and say whether that came to pass."""
        try:
            async with asyncio.timeout(within_s):
                while self.present():  # noqa: ASYNC110  (no event tells of a group's end)
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            return False
        return True

    def present(self) -> bool:
        """Say whether the group has a member."""
        return self.send(0)

    async def stop(self, kill_after_s: float) -> None:
        """End the whole group: politely, then by force."""
        if self.send(signal.SIGTERM) and not await self.gone(kill_after_s):
            self.send(signal.SIGKILL)
            await self.gone(KILLED_S)


def birth(leader: int) -> int:
    """Return when *leader* was started, in clock ticks since boot; 0 where nobody can tell."""
    try:
        stat = Path(f"/proc/{leader}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    return int(stat.rpartition(")")[2].split()[19])
