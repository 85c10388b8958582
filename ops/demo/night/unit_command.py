"""The command of every unit of the night: `python -m ops.demo.night.unit_command ACTION SECONDS SCRATCH`."""

import json
import os
import signal
import sys
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

LONG_S, LIMITED_S = 90, 10.0
KEY, ATTEMPT = os.environ.get("MUSTER_KEY", "?"), int(os.environ.get("MUSTER_ATTEMPT", "1"))


def work(seconds: float) -> None:
    """Work, and say how far."""
    for step in range(1, 5):
        time.sleep(seconds / 4)
        print(f"{KEY}: {step} of 4", flush=True)


def linger(seconds: int) -> None:
    """Work for long, but not longer than the worker lives."""
    parent = os.getppid()
    for step in range(seconds):
        if os.getppid() != parent:
            sys.exit("nobody waits for this any more")
        print(f"{KEY}: second {step}", flush=True)
        time.sleep(1)


def once(seconds: float) -> None:
    """Stumble the first time."""
    work(seconds / 2)
    if ATTEMPT == 1:
        raise RuntimeError("stumbled over a cable in the dark")


def park() -> None:
    """Tell the service that the quota is used up, and wait to be stopped."""
    resume_at = (datetime.now(UTC) + timedelta(seconds=LIMITED_S)).isoformat()
    print(f"{KEY}: 429 too many requests, until {resume_at}", flush=True)
    url = f"{os.environ['MUSTER_URL']}/v1/claims/{os.environ['MUSTER_TOKEN']}/park"
    body = json.dumps({"reason": "rate_limit", "resume_at": resume_at}).encode()
    with urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": "application/json"}), timeout=10):
        signal.pause()


def do(action: str, seconds: float, scratch: Path) -> None:
    """Do what the unit is for."""
    match action:
        case "once":
            once(seconds)
        case "poison":
            work(seconds / 2)
            raise ValueError(f"{KEY} is poison: whoever tries it falls")
        case "long" if ATTEMPT == 1:
            linger(LONG_S)
        case "limited" if not (scratch / "limited").exists():
            (scratch / "limited").touch()
            park()
        case "shaky" if (scratch / "down").exists():
            raise ConnectionError("the registry is down")
        case _:
            work(seconds)


if __name__ == "__main__":
    do(sys.argv[1], float(sys.argv[2]), Path(sys.argv[3]))
