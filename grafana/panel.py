"""The words of which the boards are made: queries, panels, rows, boards."""

from dataclasses import dataclass
from functools import partial
from typing import Literal, TypedDict, Unpack

from grafana.notation import spell

Kind = Literal["timeseries", "stat", "heatmap", "table", "state-timeline", "gauge", "bargauge", "piechart"]
Steps = tuple[tuple[float, str], ...]
Texts = dict[float, tuple[str, str]]

GREEN, YELLOW, ORANGE, RED, BLUE, PURPLE, GREY = "green", "yellow", "orange", "red", "blue", "purple", "text"

# Colours of label values: one value has one colour on every board.
COLOURS = {
    GREEN: "done completed complete achieved healthy success accepted renewed active",
    RED: "quarantined failed dead failure rejected safety_cap",
    "dark-red": "expired exhausted fenced heartbeat_dead",
    BLUE: "running created started granted",
    "light-blue": "ready resumed auto released",
    ORANGE: "delayed stale partial",
    YELLOW: "warn skipped paused",
    PURPLE: "parked quota",
    GREY: "blocked cancelled other idle",
}


# Columns of the 24, and rows, that a panel takes.
SIZES: dict[Kind, tuple[int, int]] = {
    "stat": (3, 4),
    "gauge": (4, 4),
    "timeseries": (8, 8),
    "heatmap": (8, 8),
    "table": (12, 8),
    "state-timeline": (12, 8),
    "bargauge": (8, 8),
    "piechart": (8, 8),
}


@dataclass(frozen=True)
class Query:
    """One question to Prometheus, in the short notation, and the name of its answer."""

    short: str
    name: str = ""
    unit: str = ""

    @property
    def expr(self) -> str:
        """Return the question as PromQL."""
        return spell(self.short)


@dataclass(frozen=True)
class Link:
    """Where a click leads; *field* is the column of a table that carries it, none for the whole panel."""

    title: str
    url: str
    field: str = ""


@dataclass(frozen=True)
class Panel:
    """One panel: what it asks, what it means, and what to do about it.

    *limits* are the values from which a colour holds, *texts* name and colour values, *labels* name the columns that a table
    takes from labels, *hidden* are columns it leaves out, *instant* asks for now instead of the range.
    """

    kind: Kind
    title: str
    description: str
    queries: tuple[Query, ...]
    unit: str = "short"
    limits: Steps = ()
    texts: Texts | None = None
    links: tuple[Link, ...] = ()
    labels: dict[str, str] | None = None
    hidden: tuple[str, ...] = ()
    stacked: bool = False
    instant: bool = False
    empty: str = ""
    most: float | None = None
    width: int = 0
    height: int = 0

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height in cells of the grid, those of its kind where none are given."""
        width, height = SIZES[self.kind]
        return self.width or width, self.height or height

    @property
    def asks_now(self) -> bool:
        """Tell whether the query is an instant query, not a range query."""
        whole_range = self.kind in ("stat", "gauge") and any("$__range" in query.short for query in self.queries)
        return self.instant or whole_range or self.kind in ("table", "piechart", "bargauge")

    @property
    def is_name(self) -> bool:
        """Tell whether a stat says the name of its series, not the value."""
        return self.kind == "stat" and self.queries[0].name == "{{state}}"

    @property
    def has_sparkline(self) -> bool:
        """Tell whether a stat draws a sparkline of its value."""
        return not (self.asks_now or self.is_name or self.texts or "date" in self.unit)


@dataclass(frozen=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Board:
    """One dashboard; *chooses* names the variable beyond data source, job and cockpit, *many* lets it hold several values."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]
    chooses: Literal["", "campaign", "worker", "instance"] = ""
    many: bool = True
    since: str = "now-6h"

    @property
    def panels(self) -> tuple[Panel, ...]:
        """Return the panels of all rows."""
        return tuple(panel for row in self.rows for panel in row.panels)


def ask(short: str, name: str = "", unit: str = "") -> Query:
    """Return a query; *unit* is that of its column in a table."""
    return Query(short, name, unit)


class PanelOptions(TypedDict, total=False):
    """The optional fields of a panel."""

    unit: str
    limits: Steps
    texts: Texts
    links: tuple[Link, ...]
    labels: dict[str, str]
    hidden: tuple[str, ...]
    stacked: bool
    instant: bool
    empty: str
    most: float
    width: int
    height: int


def show(kind: Kind, title: str, description: str, *queries: Query | str, **more: Unpack[PanelOptions]) -> Panel:
    """Return a panel; a bare string is a query without a name."""
    return Panel(kind, title, description, tuple(Query(query) if isinstance(query, str) else query for query in queries), **more)


stat = partial(show, "stat")
gauge = partial(show, "gauge")
lines = partial(show, "timeseries")
heat = partial(show, "heatmap")
table = partial(show, "table")
states = partial(show, "state-timeline")
bars = partial(show, "bargauge")
pie = partial(show, "piechart")

# Limits that several panels share.
ANY_IS_RED: Steps = ((0, GREEN), (1, RED))
ANY_IS_ORANGE: Steps = ((0, GREEN), (1, ORANGE))

CAMPAIGN_BOARD = (
    "/d/muster-campaign?var-campaign=%s&${datasource:queryparam}&${job:queryparam}&${cockpit:queryparam}&${__url_time_range}"
)
CAMPAIGN_COLUMN = (
    Link("Open the campaign in the cockpit", "$cockpit/campaigns/${__data.fields.campaign:percentencode}", "campaign"),
    Link("Open the campaign's dashboard", CAMPAIGN_BOARD % "${__data.fields.campaign:percentencode}", "campaign"),
)
CAMPAIGN_LINE = (
    Link("Open the campaign in the cockpit", "$cockpit/campaigns/${__field.labels.campaign:percentencode}"),
    Link("Open the campaign's dashboard", CAMPAIGN_BOARD % "${__field.labels.campaign:percentencode}"),
)
CAMPAIGN_CHOSEN = (Link("Open the campaign in the cockpit", "$cockpit/campaigns/${campaign:percentencode}"),)
FAILURES_CHOSEN = (Link("Open its failures in the cockpit", "$cockpit/campaigns/${campaign:percentencode}/failures"),)
FAILURES_LINE = (
    Link("Open its failures in the cockpit", "$cockpit/campaigns/${__field.labels.campaign:percentencode}/failures"),
)
WORKER_LINE = (Link("Open the worker in the cockpit", "$cockpit/workers/${__field.labels.worker:percentencode}"),)
WORKERS = (Link("Open the workers in the cockpit", "$cockpit/workers"),)
COCKPIT = (Link("Open the cockpit", "$cockpit/"),)
