"""The orchestrator of a measurement: makes campaigns, imports units, waits for the views, outside of every clock."""

import time
from collections.abc import Iterator
from typing import Any, Self

import httpx

from ops.bench.environment import BenchError

POOL = 1_000_000
CHUNK = 500
POLICY = {"concurrency": 100_000, "lease_s": 86_400, "breaker": {"threshold": 1000}}
PATIENCE_S, SETTLE_S = 600.0, 120.0


class Orchestrator:
    """A client of one service."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=PATIENCE_S, trust_env=False)

    def __enter__(self) -> Self:
        self._ask("PATCH", "/v1/engine", json={"pool_size": POOL})
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def campaign(self, name: str, units: int, quota: str | None = None) -> int:
        """Create a campaign of some units; return the position of the last of them."""
        self._ask("POST", "/v1/campaigns", json={"name": name, "policy": POLICY, "quota": quota})
        headers = {"content-type": "application/x-ndjson"}
        told = self._ask("POST", f"/v1/campaigns/{name}/units", content=lines(units), headers=headers)
        if told["added"] != units:
            raise BenchError(f"{told['added']} of {units} units were added")
        return int(told["position"])

    def fleet(self, campaigns: int, workers: int) -> None:
        """Create *campaigns* campaigns of one unit each, and register *workers* workers."""
        for number in range(campaigns):
            self._ask("POST", "/v1/campaigns", json={"name": f"fleet-{number}", "policy": POLICY, "units": [{"key": "a"}]})
        for number in range(workers):
            self._ask("POST", "/v1/reports", json={"worker": f"fleet-{number}", "reports": [{"type": "worker", "capacity": 1}]})

    def settle(self) -> None:
        """Return when the views have caught up with the log, so that nobody pays for another's work."""
        deadline = time.monotonic() + SETTLE_S
        while True:
            head = self._ask("GET", "/v1/engine")["position"]
            answer = self._http.get("/v1/engine", params={"at_least": head})
            if answer.status_code == httpx.codes.OK:
                return
            if time.monotonic() > deadline:
                raise BenchError(f"the views did not reach {head}: {answer.text[:300]}")

    def _ask(self, method: str, path: str, **content: Any) -> Any:  # noqa: ANN401 - JSON
        """Ask, and be content with nothing but an answer."""
        answer = self._http.request(method, path, **content)
        if answer.is_error:
            raise BenchError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json()


def lines(units: int) -> Iterator[bytes]:
    """Yield units as NDJSON, some hundred lines at a time."""
    for start in range(0, units, CHUNK):
        yield b"".join(
            b'{"key":"src/part_%07d.py","payload":{"file":"src/part_%07d.py","goal":"refactor"}}\n' % (number, number)
            for number in range(start, min(start + CHUNK, units))
        )
