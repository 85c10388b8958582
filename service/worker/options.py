"""The plan: what one `muster work` was asked to do, and the codes with which it ends."""

import enum
from pathlib import Path

import msgspec

from service.worker.command import CommandLine


class WorkerExitCode(enum.IntEnum):
    """What a script may rely on; click itself ends with 2 where the call was wrong."""

    DONE = 0
    CAMPAIGN_FAILED = 1
    REFUSED = 3
    UNDELIVERED = 4


class WorkOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The worker's orders."""

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
