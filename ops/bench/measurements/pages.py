"""What each page of the cockpit costs with a million units: as much as with a thousand, and at most 100 KB."""

import re
from collections.abc import Iterator
from datetime import datetime
from statistics import median
from time import perf_counter
from urllib.parse import quote

import httpx

from ops.bench.environment import BenchEnvironment, BenchError, Replica
from ops.bench.measurements.scaling import drain, worked
from ops.bench.row import Row
from ops.cockpit.addresses import page_addresses

UNITS, FEW, DRAINED = 1_000_000, 1000, 0.1
TURNS, WARM = 21, 3
MOST, MOST_KB = 1.5, 100
NAME, QUOTA = "bench", "provider"
SAMPLE = {"name": NAME, "key": "src/part_0000000.py", "worker": "", "quota": QUOTA}
"""Values for the parameters of pages; the worker is one that the load has used."""
PICTURE = re.compile(rb"<svg\b.*?</svg>", re.DOTALL)
VARIANTS = {
    "done units": f"/campaigns/{NAME}?state=done",
    "search": f"/campaigns/{NAME}?q=part",
    "part of the report": f"/campaigns/{NAME}/report?from={{begin}}&to={{end}}",
    "events of a campaign": f"/events?campaign={NAME}",
}
"""Addresses beside the one of every page."""


class Cockpit:
    """The pages of one service; each request has a query of its own, so that none comes from the cache."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=60, trust_env=False)
        view = self._http.get(f"/v1/campaigns/{NAME}").raise_for_status().json()
        head = self._http.get("/v1/engine").raise_for_status().json()["position"]
        [last] = self._http.get("/v1/events", params={"after": head - 1}).raise_for_status().json()["items"]
        begun = datetime.fromisoformat(view["created_at"])
        third = (datetime.fromisoformat(last["recorded_at"]) - begun) / 3
        worker = self._http.get("/v1/workers").raise_for_status().json()["items"][0]["worker"]
        window = {"begin": quote((begun + third).isoformat()), "end": quote((begun + 2 * third).isoformat())}
        self.paths = page_addresses(SAMPLE | {"worker": worker}) | {
            name: path.format_map(window) for name, path in VARIANTS.items()
        }
        self._turn = 0

    def fetch(self, name: str) -> tuple[float, bytes]:
        """Return the milliseconds that a page takes, and its text."""
        self._turn += 1
        path = self.paths[name]
        began = perf_counter()
        answer = self._http.get(f"{path}{'&' if '?' in path else '?'}turn={self._turn}")
        took = (perf_counter() - began) * 1000
        if answer.status_code != httpx.codes.OK:
            raise BenchError(f"{path}: {answer.status_code}")
        return took, answer.content


def pages(bench: BenchEnvironment) -> Iterator[Row]:
    """Look at every page in turn, with a million units in the campaign and with a thousand."""
    with bench.database() as large, bench.database() as small:
        for dsn, units in ((large, UNITS), (small, FEW)):
            with worked(bench, dsn) as (muster, orchestrator):
                orchestrator.campaign(NAME, units, quota=QUOTA)
                drain(muster, NAME, int(units * DRAINED))
                orchestrator.settle()
            bench.order("ANALYZE", dsn)
        with bench.running(Replica.muster(large)) as ours, bench.running(Replica.muster(small)) as theirs:
            yield from compared(Cockpit(ours.url), Cockpit(theirs.url))


def compared(large: Cockpit, small: Cockpit) -> Iterator[Row]:
    """Yield how each page compares, and how large the largest is without its plots."""
    sizes: dict[str, float] = {}
    for name in large.paths:
        times: tuple[list[float], list[float]] = ([], [])
        for turn in range(WARM + TURNS):
            for cockpit, durations in zip((large, small), times, strict=True):
                took, text = cockpit.fetch(name)
                sizes[name] = max(sizes.get(name, 0), len(PICTURE.sub(b"", text)) / 1000)
                if turn >= WARM:
                    durations.append(took)
        ours, theirs = map(median, times)
        yield Row(
            what=f"page: {name}, {UNITS:,} units against {FEW:,}",
            ours=f"{ours:.1f} ms",
            baseline=f"{theirs:.1f} ms",
            value=ours / theirs,
            bound=MOST,
            sense="at most",
        )
    largest = max(sizes, key=sizes.__getitem__)
    yield Row(
        what=f"largest page without plots ({largest}), KB",
        ours=f"{sizes[largest]:.0f} KB",
        value=sizes[largest],
        bound=MOST_KB,
        sense="at most",
    )
