"""The steps of the night: the failures of workers and campaigns in order, and the account of every unit at the end."""

import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ops.demo.account import table
from ops.demo.compile_stdlib import agreed
from ops.demo.muster import DemoError, Muster
from ops.demo.night import narrative, scenario
from ops.demo.night.workers import WorkerProcesses

PATIENCE_S, POLL_S = 60.0, 0.25
MORNING = timedelta(hours=8)
WORKERS = ("owl", "moth", "bat", "fox", "toad")


class Night:
    """One night on one service."""

    def __init__(self, muster: Muster, name: str, scratch: Path) -> None:
        self.muster = muster
        self.work, self.shaky = name, f"{name}-shaky"
        self.scratch = scratch

    def run(self) -> bool:
        """Run all steps; tell whether every unit ended as expected."""
        (self.scratch / "down").touch()
        morning = datetime.now(UTC) + MORNING
        self.muster.create(
            self.work,
            scenario.POLICY,
            title="A night",
            quota=self.work,
            labels={"demo": "night"},
            deadline=f"{morning:%Y-%m-%dT%H:%M:%SZ}",
        )
        self.muster.order(f"/v1/quotas/{self.work}/readings", {"utilization": 0.97})
        self.muster.add(self.work, scenario.evening())
        self.muster.create(self.shaky, scenario.SHAKY_POLICY, title="A shaky registry", labels={"demo": "night"})
        self.muster.add(self.shaky, scenario.shaky())
        with WorkerProcesses(self.muster.url, [self.work, self.shaky], self.scratch) as workers:
            for name in WORKERS:
                workers.start(name)
            self.say(f"{len(WORKERS)} workers begin: {', '.join(WORKERS)}")
            self.wait_for_quota()
            self.kill_a_worker(workers)
            self.add_late_units()
            self.silence_a_worker(workers)
            self.mend_the_registry()
            self.until(
                "both campaigns are over", lambda: all(self.state(name) == "completed" for name in (self.work, self.shaky))
            )
        return self.account()

    def wait_for_quota(self) -> None:
        """Wait until a unit exhausts the quota, and until its campaign resumes by itself."""
        self.until("the quota is used up", lambda: self.muster.campaign(self.work)["quota_line"])
        self.say(f"{self.work}: {self.muster.campaign(self.work)['quota_line']} (UTC)")
        self.until("work goes on", lambda: self.unit("fetch/limited")["state"] == "done")
        self.say("the quota's gate opened by itself, and fetch/limited is done; no attempt was counted")

    def kill_a_worker(self, workers: WorkerProcesses) -> None:
        """Kill a worker in the middle of a unit, and start another."""
        victim = self.holder("long/killed")
        workers.send_signal(victim, signal.SIGKILL)
        self.say(f"{victim} was killed in the middle of long/killed, without deregistering")
        workers.start("lynx")
        self.until("long/killed is handed on", lambda: self.unit("long/killed")["attempts"] == 2)
        self.say(f"its lease ran out; {self.holder('long/killed')} goes on with long/killed")

    def add_late_units(self) -> None:
        """Add an earlier group while a later one runs."""
        self.muster.add(self.work, scenario.late())
        self.until("the late group is done", lambda: all(self.unit(one["key"])["state"] == "done" for one in scenario.late()))
        self.say("group 5 came late and ran at once, beside group 20")

    def silence_a_worker(self, workers: WorkerProcesses) -> None:
        """Suspend a worker as a closed laptop does, and resume it when another worker has its unit."""
        sleeper = self.holder("long/silent")
        workers.send_signal(sleeper, signal.SIGSTOP)
        self.say(f"{sleeper} fell silent in the middle of long/silent")
        self.until(f"{sleeper} is dead", lambda: self.muster.read(f"/v1/workers/{sleeper}")["level"] == "dead")
        self.say(f"{sleeper} counts as dead")
        self.until("long/silent is handed on", lambda: self.unit("long/silent")["worker"] not in (None, sleeper))
        self.say(f"{self.unit('long/silent')['worker']} has long/silent now")
        self.until("long/silent is done", lambda: self.unit("long/silent")["state"] == "done")
        workers.send_signal(sleeper, signal.SIGCONT)
        self.until("the late report arrived", lambda: "unit.late_result" in self.kinds("long/silent"))
        self.say(f"{sleeper} woke up and reported; its token was old, and nothing changed")

    def mend_the_registry(self) -> None:
        """Wait until the breaker trips, mend the cause, reset it, and retry the failed units."""
        self.until("the breaker trips", lambda: self.muster.campaign(self.shaky)["breaker"]["tripped"])
        breaker = self.muster.campaign(self.shaky)["breaker"]
        self.say(f"{self.shaky}: {breaker['line']}; the rest waits, other campaigns do not")
        (self.scratch / "down").unlink()
        self.muster.order(f"/v1/campaigns/{self.shaky}/breaker/reset", {"reason": "the registry is up again"})
        self.until("the rest of the shaky ones is done", lambda: self.state(self.shaky) == "completed")
        answer = self.muster.order(f"/v1/campaigns/{self.shaky}/retry-failed", {"reload_brief": "the registry is up again"})
        self.say(f"reset; the rest went through, and {answer['cleared']} of {answer['matched']} failed units were sent back")

    def unit(self, key: str) -> dict[str, Any]:
        """Read one unit of the work."""
        return self.muster.unit(self.work, key)

    def kinds(self, key: str) -> set[str]:
        """Return the kinds of events of one unit of the work."""
        return {event["kind"] for event in self.muster.story(self.work, key)}

    def state(self, name: str) -> str:
        """Return the state of a campaign."""
        return str(self.muster.campaign(name, self.muster.head())["state"])

    def holder(self, key: str) -> str:
        """Return the worker that runs a unit, once one does."""
        self.until(f"{key} runs", lambda: self.unit(key)["state"] == "running")
        return str(self.unit(key)["worker"])

    def say(self, text: str) -> None:
        """Print one line with the time."""
        print(f"{datetime.now().astimezone():%H:%M:%S}  {text}", flush=True)

    def until(self, what: str, holds: Callable[[], object]) -> None:
        """Poll until *holds* is true.

        Raises:
            DemoError: it took longer than PATIENCE_S.
        """
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            if time.monotonic() > deadline:
                raise DemoError(f"waited {PATIENCE_S:g} s in vain until {what}; see {self.scratch}/*.log")
            time.sleep(POLL_S)

    def account(self) -> bool:
        """Print the end of every unit and why; tell whether all units ended as expected."""
        wrong: list[str] = []
        for name in (self.work, self.shaky):
            _, rows, view = agreed(self.muster, name)
            print(f"\n{name}: {view['state']}, outcome {view['outcome']}\n")
            wrong += [*self.lines(name), *(f"NOT EQUAL: {row.what} of {name}" for row in rows if not row.equal)]
            print(f"\n{table(rows)}")
        print("\n" + ("\n".join(wrong) or "every unit is accounted for"))
        return not wrong

    def lines(self, name: str) -> Iterator[str]:
        """Print one line for each unit; yield what is wrong with it."""
        meant = {unit["key"] for unit in (scenario.shaky() if name == self.shaky else [*scenario.evening(), *scenario.late()])}
        for unit in self.muster.units(name):
            events = list(self.muster.story(name, unit["key"]))
            print(f"  {unit['key']:<13} {unit['state']:<12} {narrative.story(events)}")
            meant.discard(unit["key"])
            yield from narrative.complaints(unit["key"], unit["state"], {event["kind"] for event in events})
        yield from (f"UNACCOUNTED FOR: {key} is not there" for key in sorted(meant))


def night(muster: Muster, name: str) -> bool:
    """Run a night named *name*; tell whether every unit ended as expected."""
    scratch = Path(tempfile.mkdtemp(prefix="muster-night-"))
    accounted = Night(muster, name, scratch).run()
    if accounted:
        shutil.rmtree(scratch)
    return accounted
