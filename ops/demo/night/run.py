"""The script of the night: what befalls workers and campaigns, in its order, and the account in the morning."""

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
from ops.demo.night.workers import Crew

PATIENCE_S, LOOK_S = 60.0, 0.25
MORNING = timedelta(hours=8)
CREW = ("owl", "moth", "bat", "fox", "toad")


class Night:
    """One night on one service."""

    def __init__(self, muster: Muster, name: str, scratch: Path) -> None:
        self.muster = muster
        self.work, self.shaky = name, f"{name}-shaky"
        self.scratch = scratch

    def pass_by(self) -> bool:
        """Let everything happen; say whether every unit is accounted for."""
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
        with Crew(self.muster.url, [self.work, self.shaky], self.scratch) as crew:
            for name in CREW:
                crew.start(name)
            self.say(f"{len(CREW)} workers begin: {', '.join(CREW)}")
            self.wait_for_quota()
            self.kill_a_worker(crew)
            self.remember_something()
            self.silence_a_worker(crew)
            self.mend_the_registry()
            self.until(
                "both campaigns are over", lambda: all(self.state(name) == "completed" for name in (self.work, self.shaky))
            )
        return self.account()

    def wait_for_quota(self) -> None:
        """See a unit run into a used-up quota, and everything on it go on by itself."""
        self.until("the quota is used up", lambda: self.muster.campaign(self.work)["quota_line"])
        self.say(f"{self.work}: {self.muster.campaign(self.work)['quota_line']} (UTC)")
        self.until("work goes on", lambda: self.unit("fetch/limited")["state"] == "done")
        self.say("the quota's gate opened by itself, and fetch/limited is done; no attempt was counted")

    def kill_a_worker(self, crew: Crew) -> None:
        """Kill a worker in the middle of a unit, and start another."""
        victim = self.holder("long/killed")
        crew.strike(victim, signal.SIGKILL)
        self.say(f"{victim} was killed in the middle of long/killed; nobody says goodbye")
        crew.start("lynx")
        self.until("long/killed is handed on", lambda: self.unit("long/killed")["attempts"] == 2)
        self.say(f"its lease ran out; {self.holder('long/killed')} goes on with long/killed")

    def remember_something(self) -> None:
        """Add an earlier group while a later one runs."""
        self.muster.add(self.work, scenario.late())
        self.until("the late group is done", lambda: all(self.unit(one["key"])["state"] == "done" for one in scenario.late()))
        self.say("group 5 came late and ran at once, beside group 20")

    def silence_a_worker(self, crew: Crew) -> None:
        """Stop a worker as a closed laptop does, and let it wake when its unit is somebody else's."""
        sleeper = self.holder("long/silent")
        crew.strike(sleeper, signal.SIGSTOP)
        self.say(f"{sleeper} fell silent in the middle of long/silent")
        self.until(f"{sleeper} is dead", lambda: self.muster.read(f"/v1/workers/{sleeper}")["level"] == "dead")
        self.say(f"{sleeper} is dead for all that anybody hears")
        self.until("long/silent is handed on", lambda: self.unit("long/silent")["worker"] not in (None, sleeper))
        self.say(f"{self.unit('long/silent')['worker']} has long/silent now")
        self.until("long/silent is done", lambda: self.unit("long/silent")["state"] == "done")
        crew.strike(sleeper, signal.SIGCONT)
        self.until("the late word came", lambda: "unit.late_result" in self.kinds("long/silent"))
        self.say(f"{sleeper} woke up and reported; its token was old, and nothing changed")

    def mend_the_registry(self) -> None:
        """See the breaker trip, mend the cause, reset it, and send back what had failed."""
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
        """Return who runs a unit, once somebody does."""
        self.until(f"{key} runs", lambda: self.unit(key)["state"] == "running")
        return str(self.unit(key)["worker"])

    def say(self, text: str) -> None:
        """Say what just happened."""
        print(f"{datetime.now().astimezone():%H:%M:%S}  {text}", flush=True)

    def until(self, what: str, holds: Callable[[], object]) -> None:
        """Look again until *holds*, not for ever."""
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            if time.monotonic() > deadline:
                raise DemoError(f"waited {PATIENCE_S:g} s in vain until {what}; see {self.scratch}/*.log")
            time.sleep(LOOK_S)

    def account(self) -> bool:
        """Print what became of every unit and why; say whether all of it is as it must be."""
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
    """Let a night named *name* pass; say whether every unit is accounted for."""
    scratch = Path(tempfile.mkdtemp(prefix="muster-night-"))
    accounted = Night(muster, name, scratch).pass_by()
    if accounted:
        shutil.rmtree(scratch)
    return accounted
