"""What the tests read out of PromQL: selectors, families, labels."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from grafana.build import BOARDS
from projections.measures.catalogue import CATALOGUE

SPEC = Path(__file__).with_name("families.txt")
SELECTOR = re.compile(r"(?<![\w:.$])([a-zA-Z_]\w*(?::\w+)*)(\{[^}]*\})")
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"((?:[^"\\]|\\.)*)"')
GROUPING = re.compile(r"\b(?:by|on|without) \(([^)]*)\)(?: \()?")
SCRAPED = {"job", "instance", "pod", "replica"}
# Not ours: what Prometheus and its client libraries add.
FOREIGN = {
    "process_start_time_seconds": set[str](),
    "process_cpu_seconds_total": set[str](),
    "process_resident_memory_bytes": set[str](),
    "ALERTS": {"alertname", "alertstate", "severity", "campaign"},
}


class Family(NamedTuple):
    """A family of metrics as the tests need it."""

    name: str
    kind: str
    scope: str
    labels: tuple[str, ...]
    buckets: tuple[float, ...]


class Selector(NamedTuple):
    """A metric with its matchers."""

    name: str
    matchers: dict[str, str]


def specified() -> dict[str, Family]:
    """Return the families of the specification."""
    lines = (line.split() for line in SPEC.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return {
        name: Family(name, kind, scope, listed(labels), tuple(float(bound) for bound in listed(buckets)))
        for name, kind, scope, labels, buckets in lines
    }


def listed(words: str) -> tuple[str, ...]:
    """Return the words between commas, none for a dash."""
    return () if words == "-" else tuple(words.split(","))


def families() -> dict[str, Family]:
    """Return the families of the catalogue, and of the specification where the catalogue has none yet."""
    ours = {
        name: Family(name, family.kind, family.scope, tuple(family.labels), family.buckets) for name, family in CATALOGUE.items()
    }
    return specified() | ours


def expressions() -> Iterator[tuple[str, str]]:
    """Yield board and panel, and each expression of the panel."""
    for board in BOARDS:
        for panel in board.panels:
            for query in panel.queries:
                yield f"{board.uid}: {panel.title}", query.expr


def selectors(expr: str) -> list[Selector]:
    """Return what *expr* selects.

    >>> selectors('sum by (le) (rate(muster_x_bucket{job=~"$job",a="b"}[5m]))')
    [Selector(name='muster_x_bucket', matchers={'job': '$job', 'a': 'b'})]
    """
    return [
        Selector(name, {label: value for label, _, value in MATCHER.findall(inside)}) for name, inside in SELECTOR.findall(expr)
    ]


def family_of(name: str, known: dict[str, Family]) -> str:
    """Return the family that a series called *name* belongs to."""
    base = re.sub(r"_(bucket|count|sum)$", "", name)
    return base if base in known and known[base].kind == "histogram" else name


def labels_of(name: str, known: dict[str, Family]) -> set[str]:
    """Return every label that a series called *name* may carry, those of the scrape included."""
    if name in FOREIGN:
        return FOREIGN[name] | SCRAPED
    family = known[family_of(name, known)]
    return {*family.labels, *SCRAPED, *(["le"] if name.endswith("_bucket") and family.kind == "histogram" else [])}


def groupings(expr: str) -> list[tuple[set[str], list[Selector]]]:
    """Return each list of labels in *expr* with the selectors that it groups or joins."""
    found = []
    for match in GROUPING.finditer(expr):
        labels = {label.strip() for label in match[1].split(",")}
        inside = parenthesised(expr, match.end() - 1) if match[0].endswith(" (") else expr
        found.append((labels, selectors(inside)))
    return found


def parenthesised(expr: str, start: int) -> str:
    """Return what stands in the parenthesis that opens at *start*.

    >>> parenthesised("a (b (c) d) e", 2)
    '(b (c) d)'
    """
    depth = 0
    for index, letter in enumerate(expr[start:], start):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return expr[start : index + 1]
    raise ValueError(f"no end of the parenthesis at {start} in {expr}")


def overlap(places: list[dict[str, int]]) -> bool:
    """Tell whether two panels of a grid cover the same cell.

    >>> overlap([{"x": 0, "y": 0, "w": 2, "h": 1}, {"x": 1, "y": 0, "w": 1, "h": 1}])
    True
    """
    cells = sorted((y, x) for place in places for y in span(place, "y", "h") for x in span(place, "x", "w"))
    return any(one == other for one, other in pairwise(cells))


def span(place: dict[str, int], at: str, size: str) -> range:
    """Return the cells that *place* takes along one axis."""
    return range(place[at], place[at] + place[size])
