"""The demo: compile the standard library with real workers, and show one truth about it three times."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from ops.demo.account import History, Row, account, table
from ops.demo.library import broken, compiler, library
from ops.demo.muster import DemoError, Muster
from ops.demo.workers import Workers

WORKERS, HANDS = 4, 2
LOOK_S = 2.0
AGREE_S = 15.0
OVER = ("completed", "cancelled")
LABEL = ("demo", "stdlib")
POLICY = {
    "max_attempts": 2,
    "retry": {"backoff_ms": 200, "factor": 1},
    "breaker": {"threshold": 1000},
    "concurrency": WORKERS * HANDS,
    "lease_s": 30,
}


def demonstrate(muster: Muster, name: str, limit: int | None) -> bool:
    """Run the campaign to its end, or go on where it was; say whether all is accounted for."""
    scratch = Path(tempfile.gettempdir()) / f"muster-demo-{os.getuid()}" / name
    scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    ours = [*broken(scratch / "broken")]
    units = [*ours, *library()][:limit]
    begin(muster, name, units)
    drain(muster, name, scratch)
    shutil.rmtree(scratch / "pycache", ignore_errors=True)
    return summary(muster, name, {unit["key"] for unit in units}, {unit["key"] for unit in ours})


def begin(muster: Muster, name: str, units: list[dict[str, Any]]) -> None:
    """Create the campaign, or find it, and import what it does not have yet."""
    fresh = muster.create(name, POLICY, title="Compile the standard library", labels=dict([LABEL]))
    added = muster.add(name, units)
    print(f"{'new campaign' if fresh else 'going on with'} {name}: {added:,} of {len(units):,} units are new")
    print("after an interruption of any kind `make demo` goes on; NAME=another begins one beside it", flush=True)


def drain(muster: Muster, name: str, scratch: Path) -> None:
    """Let the workers run until the campaign is over."""
    if muster.campaign(name, muster.head())["state"] in OVER:
        return
    with Workers(muster.url, name, scratch, compiler()) as workers:
        workers.start(WORKERS, HANDS)
        print(f"{WORKERS} workers, {HANDS} units at once each; they tell their story in {scratch}/worker-*.log", flush=True)
        while (view := muster.campaign(name))["state"] not in OVER:
            print(progress(view), flush=True)
            if not workers.running:
                raise DemoError(f"the workers have ended with {workers.failed}; see {scratch}/worker-*.log")
            time.sleep(LOOK_S)
        print(progress(view))


def progress(view: dict[str, Any]) -> str:
    """Say in one line how far the campaign is."""
    units = view["units"]
    counts = " · ".join(f"{state} {units[state]:,}" for state in ("done", "running", "delayed", "quarantined") if units[state])
    eta = f" · about {view['eta_s']:.0f} s to go" if view.get("eta_s") else ""
    return f"{datetime.now().astimezone():%H:%M:%S} {view['progress']:>4.0%}  {counts}{eta}"


def summary(muster: Muster, name: str, keys: set[str], ours: set[str]) -> bool:
    """Print the outcome of the units from three sources; tell whether they agree."""
    history, rows, view = agreed(muster, name)
    failures = [*muster.quarantine(name)]
    print(f"\n{name}: {view['state']}, outcome {view['outcome']}, {duration(view)}")
    print("\n".join(quarantined(failures)))
    print("\n".join(event_counts(history)))
    print(table(rows))
    print(f"\n{muster.url}/campaigns/{name}")
    wrong = [*complaints(rows, {failure["key"] for failure in failures}, keys, ours)]
    print("\n".join(wrong) or "every unit is accounted for")
    return not wrong


def agreed(muster: Muster, name: str) -> tuple[History, list[Row], dict[str, Any]]:
    """Read the three sources, again for a while as long as the metrics lag behind."""
    deadline = time.monotonic() + AGREE_S
    while True:
        view = muster.campaign(name, muster.head())
        history = History.of(muster.events(name))
        rows = account(view["units"], history.states, muster.measured(name))
        if all(row.equal for row in rows) or time.monotonic() > deadline:
            return history, rows, view
        time.sleep(0.5)


def complaints(rows: list[Row], failed: set[str], keys: set[str], ours: set[str]) -> Iterator[str]:
    """Say what does not add up."""
    counts = {row.what: row for row in rows}
    yield from (f"NOT EQUAL: {row.what}" for row in rows if not row.equal)
    if counts["all units"].api != len(keys):
        yield f"UNACCOUNTED FOR: {len(keys):,} files, {counts['all units'].api:,} units"
    if counts["done"].api + counts["quarantined"].api != len(keys):
        yield f"NOT ENDED: {len(keys) - counts['done'].api - counts['quarantined'].api:,} units"
    if missing := sorted((ours & keys) - failed):
        yield f"NOT QUARANTINED, though broken: {', '.join(missing)}"


def duration(view: dict[str, Any]) -> str:
    """Say how long the campaign took."""
    if not (view["started_at"] and view["completed_at"]):
        return "not ended"
    span = datetime.fromisoformat(view["completed_at"]) - datetime.fromisoformat(view["started_at"])
    return f"{span.total_seconds():.1f} s"


def quarantined(failures: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the quarantined units with the last line of the compiler."""
    yield f"\n  {len(failures)} quarantined:"
    for failure in sorted(failures, key=lambda failure: str(failure["key"])):
        lines = (failure["screen"] or failure["error"] or "no screen").strip().splitlines()
        yield f"  {failure['key']:<46} {failure['reason']}, {failure['attempts']} attempts · {lines[-1].strip()}"


def event_counts(history: History) -> Iterable[str]:
    """Yield the number of events in the log, by kind."""
    kinds = ("unit.claimed", "unit.completed", "unit.attempt_failed", "unit.retry_scheduled", "unit.quarantined")
    counts = " · ".join(f"{kind.removeprefix('unit.')} {history.kinds[kind]:,}" for kind in kinds)
    yield f"\n  {sum(history.kinds.values()):,} events in the log: {counts}\n"
