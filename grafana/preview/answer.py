"""What Prometheus answers to the queries of a panel."""

import math
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import httpx

from grafana.draw import HEAT_COLUMNS
from grafana.panel import Panel, Query
from grafana.substitute import VariableValues


@dataclass(frozen=True)
class Series:
    """One line: its name, its labels, its points as (seconds since 1970, value)."""

    name: str
    labels: dict[str, str]
    points: tuple[tuple[float, float], ...]

    @property
    def times(self) -> list[float]:
        """Return when it was looked at."""
        return [at for at, _ in self.points]

    @property
    def values(self) -> list[float]:
        """Return what was seen then."""
        return [value for _, value in self.points]

    @property
    def last(self) -> float:
        """Return the newest value."""
        return self.points[-1][1]

    def broken(self, longest: float) -> "Series":
        """Return the line with a hole wherever nothing was seen for longer than *longest* seconds."""
        points = list(self.points[:1])
        for (before, _), point in pairwise(self.points):
            if point[0] - before > longest:
                points.append((before, math.nan))
            points.append(point)
        return Series(self.name, self.labels, tuple(points))


@dataclass(frozen=True)
class Source:
    """A Prometheus, the moment at which it is looked at, and what is chosen."""

    client: httpx.Client
    now: float
    chosen: VariableValues

    def ask(self, panel: Panel) -> list[list[Series]]:
        """Return the series of each query of *panel*."""
        return [self.series(panel, query) for query in panel.queries]

    def series(self, panel: Panel, query: Query) -> list[Series]:
        """Return the answer to one query."""
        chosen = self.chosen.wider(HEAT_COLUMNS) if panel.kind == "heatmap" else self.chosen
        expr = chosen.substitute(query.expr)
        if panel.asks_now:
            found = self.get("query", query=expr, time=self.now)
            answers = [(each["metric"], [each["value"]]) for each in found]
        else:
            since = self.now - self.chosen.range_s
            found = self.get("query_range", query=expr, start=since, end=self.now, step=chosen.step_s)
            answers = [(each["metric"], each["values"]) for each in found]
        return [
            Series(
                legend_text(query.name or panel.title, labels), labels, tuple((float(at), float(value)) for at, value in values)
            )
            for labels, values in answers
        ]

    def get(self, what: str, **parameters: str | float) -> list[dict[str, Any]]:
        """Return the result of one call of the API."""
        answer = self.client.get(f"/api/v1/{what}", params=parameters)
        body = answer.json()
        if body["status"] != "success":
            raise ValueError(f"{parameters['query']}: {body['error']}")
        result: list[dict[str, Any]] = body["data"]["result"]
        return result


def legend_text(pattern: str, labels: dict[str, str]) -> str:
    """Return the legend *pattern* with the values of *labels*.

    >>> legend_text("{{method}} {{route}}", {"method": "GET", "route": "/v1/units"})
    'GET /v1/units'
    """
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), pattern)
