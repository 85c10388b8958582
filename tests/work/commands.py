"""Commands of units that a test can block, continue and look for."""

import os
import subprocess
from pathlib import Path

from tests.patience import PATIENCE_S
from tests.work.fake_service import FakeService


def is_running(pid: int) -> bool:
    """Say whether *pid* runs; a zombie does not."""
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def pids(service: FakeService, key: str) -> list[int]:
    """Wait until the command of the unit has printed the process ids of its group, and return them."""
    screen = service.wait_until(lambda: next((s["screen"] for s in service.reports_of("heartbeat", key) if "screen" in s), ""))
    return [int(number) for number in screen.split()]


FAMILY = (
    "import os, signal, subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    "print(os.getpid(), child.pid, flush=True)\n"
    "time.sleep(600)\n"
)
STUBBORN = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + FAMILY


def gated(gate: Path) -> tuple[str, ...]:
    """Return a command that prints `runs`, and ends when something is written to *gate*."""
    os.mkfifo(gate)
    return ("sh", "-c", 'echo runs; read line < "$0"', str(gate))


def open_gate(gate: Path) -> None:
    """Continue the command that reads *gate*."""
    subprocess.run(("sh", "-c", 'echo go > "$0"', str(gate)), check=True, timeout=PATIENCE_S)
