"""One execution of a command: a process in its own session, its screen, its end."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

from service.worker.process_group import ProcessGroup
from service.worker.screen import Screen

CHUNK = 64 * 1024
POLL_S = 0.05
LAST_OUTPUT_S = 1.0


class CommandEnd(NamedTuple):
    """How a command ended: the exit code as a shell gives it, and the signal that killed it."""

    exit_code: int
    signal: str | None

    @classmethod
    def of(cls, code: int) -> Self:
        """Read the exit status of `subprocess`, which is negative for a signal.

        >>> CommandEnd.of(-9)
        CommandEnd(exit_code=137, signal='SIGKILL')
        """
        return cls(code, None) if code >= 0 else cls(128 - code, signal_name(-code))


def signal_name(number: int) -> str:
    """Name a signal; a real-time one by its number."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"


class Execution:
    """A running command.

    Raises:
        OSError: the program cannot be started.
        ValueError: an argument or a variable holds a null character.

    """

    def __init__(self, line: Sequence[str], environment: Mapping[str, str]) -> None:
        self.screen = Screen()
        self._child = subprocess.Popen(  # noqa: S603  (the operator's own command, no shell)
            line,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
        )
        self.group = ProcessGroup.of(self._child.pid)
        self._stopping: asyncio.Task[None] | None = None
        self._output_closed = asyncio.Event()
        self._listen()

    def stop(self, kill_after_s: float) -> None:
        """Begin to stop the whole process group; `end` returns when it has stopped."""
        if self._stopping is None:
            self._stopping = asyncio.create_task(self.group.stop(kill_after_s))

    async def end(self, kill_after_s: float) -> CommandEnd:
        """Wait until the command has ended, and stop the processes that it has left behind."""
        await exited(self._child)
        code = self._child.wait()
        if self.group.present():
            self.stop(kill_after_s)
        if self._stopping:
            await self._stopping
        await self._read_rest()
        return CommandEnd.of(code)

    def _listen(self) -> None:
        assert self._child.stdout
        self._output = self._child.stdout.fileno()
        os.set_blocking(self._output, False)
        asyncio.get_running_loop().add_reader(self._output, self._read)

    def _read(self) -> None:
        try:
            output = os.read(self._output, CHUNK)
        except BlockingIOError:
            return
        if output:
            self.screen.write(output)
        else:
            asyncio.get_running_loop().remove_reader(self._output)
            self._output_closed.set()

    async def _read_rest(self) -> None:
        """Read the rest of the output, `LAST_OUTPUT_S` at most: a process that left the group may hold the pipe open for ever."""
        try:
            async with asyncio.timeout(LAST_OUTPUT_S):
                await self._output_closed.wait()
        except TimeoutError:
            asyncio.get_running_loop().remove_reader(self._output)
        assert self._child.stdout
        self._child.stdout.close()


async def exited(child: subprocess.Popen[bytes]) -> None:
    """Wait until *child* has ended."""
    if sys.platform != "linux":
        while child.poll() is None:  # noqa: ASYNC110  (only Linux has pidfd_open)
            await asyncio.sleep(POLL_S)
        return
    descriptor = os.pidfd_open(child.pid)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
