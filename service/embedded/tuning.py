"""The configuration of an embedded Postgres: memory sized for the machine, durability never reduced."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

MIB = 1024 * 1024
GIB = 1024 * MIB


def tuned(folder: Path) -> dict[str, str]:
    """Return the settings for this machine's memory and the disk that holds *folder*."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    free = shutil.disk_usage(folder).free
    return {
        # durability: what was answered with 2xx survives a crash
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        # memory
        "shared_buffers": _mib(_within(memory // 8, 128 * MIB, 2 * GIB)),
        "effective_cache_size": _mib(memory // 2),
        "maintenance_work_mem": _mib(_within(memory // 32, 64 * MIB, 512 * MIB)),
        "work_mem": "16MB",
        "max_connections": "200",
        # the write-ahead log: few checkpoints, and a limit that a small disk can hold
        "wal_buffers": "16MB",
        "wal_compression": "on",
        "max_wal_size": _mib(_within(free // 10, 256 * MIB, 4 * GIB)),
        "min_wal_size": _mib(_within(free // 50, 80 * MIB, 512 * MIB)),
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": "0.9",
        # short statements on small, hot tables
        "random_page_cost": "1.1",
        "jit": "off",
        "autovacuum_naptime": "10s",
        "autovacuum_vacuum_cost_delay": "1ms",
        # the log
        "log_line_prefix": "%m [%p] %a ",
        "log_lock_waits": "on",
        "log_checkpoints": "off",
        "log_autovacuum_min_duration": "-1",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }


def rendered(settings: Mapping[str, str]) -> str:
    """Return *settings* as the text of a `postgresql.conf`.

    >>> rendered({"port": "1", "unix_socket_directories": "it's"}).splitlines()[1:]
    ["port = '1'", "unix_socket_directories = 'it''s'"]
    """
    quoted = (f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in settings.items())
    return "\n".join(["# Written anew by Muster at every start.", *quoted, ""])


def _within(size: int, least: int, most: int) -> int:
    return max(least, min(size, most))


def _mib(size: int) -> str:
    return f"{size // MIB}MB"
