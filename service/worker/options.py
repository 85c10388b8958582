"""The options of `muster work`, and the exit codes with which it ends."""

import enum
from pathlib import Path

import msgspec

from service.worker.command import CommandLine


class WorkerExitCode(enum.IntEnum):
    """The exit codes that a script may rely on; click itself ends with 2 after a wrong call."""

    DONE = 0
    CAMPAIGN_FAILED = 1
    REFUSED = 3
    UNDELIVERED = 4


class WorkOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of one worker."""

    url: str
    worker: str
    campaigns: tuple[str, ...]
    command: CommandLine
    concurrency: int
    labels: dict[str, str]
    until_drained: bool
    grace_s: float
    kill_after_s: float
    wait_s: float
    spool: Path
    bearer: str | None
    quiet: bool
