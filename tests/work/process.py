"""Commands that a test can hold back, let go and find again."""

import os
import subprocess
from pathlib import Path

from tests.patience import PATIENCE_S
from tests.work.double import ServiceDouble


def lives(pid: int) -> bool:
    """Say whether *pid* runs; a dead child that nobody has reaped does not."""
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def pids(service: ServiceDouble, key: str) -> list[int]:
    """Wait until the unit's command has printed the numbers of its members, and return them."""
    screen = service.wait_until(lambda: next((s["screen"] for s in service.said("heartbeat", key) if "screen" in s), ""))
    return [int(number) for number in screen.split()]


FAMILY = (
    "import os, signal, subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    "print(os.getpid(), child.pid, flush=True)\n"
    "time.sleep(600)\n"
)
STUBBORN = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + FAMILY


def gated(gate: Path) -> tuple[str, ...]:
    """Return a command that says that it runs, and ends when *gate* is written to."""
    os.mkfifo(gate)
    return ("sh", "-c", 'echo runs; read line < "$0"', str(gate))


def go(gate: Path) -> None:
    """Let the command behind *gate* go on."""
    subprocess.run(("sh", "-c", 'echo go > "$0"', str(gate)), check=True, timeout=PATIENCE_S)
