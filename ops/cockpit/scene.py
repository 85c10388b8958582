"""A scene for pictures and browser tests: campaigns in every state that the cockpit shows, made over the API like anybody's."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import httpx

RED, GREEN, YELLOW, BOLD, PLAIN = "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[1m", "\x1b[0m"
HOSTILE = "<script>alert(1)</script> \u202egpj.exe \x1b]0;owned\x07 " + "Z̸̢̛" * 30
ERRORS = (
    "exit 1: tests/test_money.py::test_rounding failed after 12.3 s",
    "exit 1: tests/test_dates.py::test_leap failed after 4.1 s",
    "exit 137: killed, out of memory at 2048 MiB",
    "ModuleNotFoundError: No module named 'requests'",
)
STEPS = 12
FILES = ("billing/invoice.py", "billing/tax.py", "catalog/search.py", "orders/checkout.py", "orders/refund.py", "users/login.py")


def screen(error: str) -> str:
    """Return what a terminal showed last."""
    lines = [f"{GREEN}PASSED{PLAIN} tests/test_{name}.py" for name in ("cart", "search", "login", "mail")]
    trouble = [f"{BOLD}{RED}FAILED{PLAIN} {error}", "", f"{YELLOW}E   assert Decimal('10.01') == Decimal('10.00'){PLAIN}"]
    return "\r\n".join(["$ pytest -x", *lines, *trouble, f"{RED}=== 1 failed, 4 passed in 12.30s ==={PLAIN}"])


def failure(error: str, exit_code: int) -> dict[str, Any]:
    """Return the report of a failure that no retry mends."""
    said = {"type": "failed", "reason": "crash", "error": error, "exit_code": exit_code}
    return {**said, "retryable": False, "screen": screen(error)}


class Scene:
    """What the script does with a Muster."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    @classmethod
    @contextmanager
    def at(cls, url: str) -> Iterator[Self]:
        """Open a scene on the Muster at *url*."""
        with httpx.Client(base_url=url, timeout=30, trust_env=False, verify=False) as http:
            yield cls(http)

    def post(self, path: str, **body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Order something."""
        answer = self.http.post(path, json=body)
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told

    def settle(self) -> None:
        """Return when the views show everything that was said."""
        position = self.http.get("/v1/engine").raise_for_status().json()["position"]
        self.http.get("/v1/engine", params={"at_least": position}).raise_for_status()

    def campaign(self, name: str, count: int, **fields: Any) -> None:  # noqa: ANN401 - JSON
        """Create a campaign of *count* units; one that is there already stays."""
        units = [{"key": f"{FILES[n % len(FILES)]}#{n:03}", "payload": {"file": FILES[n % len(FILES)]}} for n in range(count)]
        answer = self.http.post("/v1/campaigns", json={"name": name, "units": units, **fields})
        if answer.status_code != 409:
            answer.raise_for_status()

    def claim(self, campaign: str, worker: str, count: int = 1) -> list[str]:
        """Claim units and return their tokens."""
        if not count:
            return []
        return [one["token"] for one in self.post("/v1/claims", worker=worker, max=count, campaigns=[campaign])["claims"]]

    def report(self, worker: str, *reports: dict[str, Any]) -> None:
        """Say something as a worker."""
        self.post("/v1/reports", worker=worker, reports=list(reports))

    def work(self, campaign: str, worker: str, done: int, failed: int = 0, error: str = ERRORS[0]) -> None:
        """Get units done, and let some fail for good."""
        self.finish(worker, self.claim(campaign, worker, done), self.claim(campaign, worker, failed), error)

    def finish(self, worker: str, done: list[str], failed: list[str], error: str = ERRORS[0]) -> None:
        """End what was claimed."""
        for token in done:
            self.report(worker, {"type": "completed", "token": token, "result": {"ok": True}, "exit_code": 0})
        for token in failed:
            self.report(worker, {**failure(error, 1), "token": token})

    def beat(self, campaign: str, worker: str, count: int, progress: float, note: str) -> None:
        """Hold units and say how far they are."""
        moved = (datetime.now(UTC) - timedelta(seconds=3)).isoformat()
        for place, token in enumerate(self.claim(campaign, worker, count)):
            said = {"type": "heartbeat", "progress": min(progress + place * 0.17, 1), "note": note, "output_at": moved}
            self.report(worker, {**said, "token": token})


def play(url: str, pace_s: float = 0.0) -> None:
    """Make the scene on the Muster at *url*; with a pace, its plots have a shape."""
    calm = {"max_attempts": 1, "breaker": {"threshold": 1000}, "concurrency": 100}
    with Scene.at(url) as scene:
        for worker, version in (("laptop-ada", "1.4.2"), ("ci-runner-07", "1.4.2"), ("ci-runner-08", "1.3.9")):
            scene.report(worker, {"type": "worker", "capacity": 4, "version": version, "labels": {"site": worker.split("-")[0]}})
        scene.campaign("nightly-refactor", 180, title="Nightly refactor of the shop", policy=calm, labels={"team": "core"})
        scene.campaign("docs-2026", 24, title="Translate the handbook", policy=calm, labels={"team": "docs"})
        scene.campaign("flaky-suite", 40, title="Mend the flaky tests", policy={"concurrency": 8}, labels={"team": "core"})
        scene.campaign("long-context", 30, title="Summaries of the archive", quota="anthropic", policy={"concurrency": 6})
        for number in range(STEPS):
            step(scene, number, pace_s)
        tripping(scene)
        parking(scene)
        scene.campaign("later", 12, title="Waits for a person", labels={"team": "core"})
        scene.post("/v1/campaigns/later/pause", reason="after the release")
        scene.campaign("hostile", 0, title=HOSTILE, policy=calm)
        hostile(scene)
        scene.beat("nightly-refactor", "ci-runner-07", 2, 0.35, "3 of 7 tests")
        scene.beat("nightly-refactor", "laptop-ada", 2, 0.6, "writing the migration")


def step(scene: Scene, number: int, pace_s: float) -> None:
    """Let every worker take something, work for a while, and end it."""
    taken = [
        ("ci-runner-07", scene.claim("nightly-refactor", "ci-runner-07", 5 + number * 5 % 7)),
        ("laptop-ada", scene.claim("docs-2026", "laptop-ada", 2)),
        ("ci-runner-08", scene.claim("flaky-suite", "ci-runner-08", number % 2)),
        ("ci-runner-08", scene.claim("long-context", "ci-runner-08", (number + 1) % 2)),
    ]
    failing = scene.claim("nightly-refactor", "ci-runner-07", 2 if number % 3 == 2 else 0)
    time.sleep(pace_s)
    for worker, tokens in taken:
        scene.finish(worker, tokens, [])
    scene.finish("ci-runner-07", [], failing, ERRORS[number % len(ERRORS)])


def tripping(scene: Scene) -> None:
    """Let a campaign trip its breaker."""
    for _ in range(3):
        for token in scene.claim("flaky-suite", "ci-runner-08"):
            scene.report("ci-runner-08", {**failure(ERRORS[2], 137), "token": token, "retryable": True})


def parking(scene: Scene) -> None:
    """Let a campaign run out of quota."""
    resume_at = (datetime.now(UTC) + timedelta(minutes=47)).isoformat()
    for token in scene.claim("long-context", "ci-runner-08", 2):
        scene.report("ci-runner-08", {"type": "parked", "token": token, "reason": "rate_limit", "resume_at": resume_at})


def hostile(scene: Scene) -> None:
    """Let a unit try everything that a text can try."""
    key = "<img src=x onerror=alert(1)>/../%2e&quot; \u202d\u2066x"
    key = "".join(char for char in key if char.isprintable())
    answer = scene.http.post("/v1/campaigns/hostile/units", json=[{"key": key, "payload": {"text": HOSTILE}}])
    answer.raise_for_status()
    for token in scene.claim("hostile", "laptop-ada"):
        ended = {**failure(HOSTILE, 1), "screen": HOSTILE + "\x1b[2J\x1b[999;999H" + HOSTILE}
        scene.report("laptop-ada", {**ended, "token": token})
