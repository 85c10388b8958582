"""What all dashboards share: grid, variables, annotations, links."""

from collections.abc import Iterator

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as d

from grafana.draw import DATASOURCE, draw, identity
from grafana.notation import spell
from grafana.panel import Board, Panel, Row

COLUMNS = 24
COCKPIT_ADDRESS = "http://127.0.0.1:8110"
TAG = "muster"
ALL = d.VariableOption(selected=True, text="All", value="$__all")
CHOICES = {
    "campaign": ("Campaign", 'label_values(muster_campaign_state{job=~"$job"}, campaign)'),
    "worker": ("Worker", 'label_values(muster_worker_heartbeat_level{job=~"$job"}, worker)'),
    "instance": ("Replica", 'label_values(muster_build_info{job=~"$job"}, instance)'),
}
TRIPPED = spell('F(muster_campaign_paused{reason="safety_cap"}) == 1')
FIRING = spell('ALERTS{alertname=~"Muster.*",alertstate="firing",severity=~"critical|warning"}')
STARTED = spell("process_start_time_seconds") + " * 1000"


def frame(board: Board) -> d.Dashboard:
    """Return *board* as a dashboard of Grafana."""
    made = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.description)
        .tags([TAG])
        .readonly()
        .tooltip(d.DashboardCursorSync.CROSSHAIR)
        .time(board.since, "now")
        .refresh("1m")
        .variables(variables(board))
        .annotations(annotations())
        .links(links(board))
        .build()
    )
    made.panels = [*panels(board)]
    return made


def panels(board: Board) -> Iterator[d.Panel | d.RowPanel]:
    """Yield headings and panels, line by line down the grid."""
    y = 0
    for row in board.rows:
        place = d.GridPos(x=0, y=y, w=COLUMNS, h=1)
        yield dashboard.Row(row.title).id(identity(board.uid, row.title)).grid_pos(place).build()
        y += 1
        for line in broken(row):
            widths = widened([panel.size[0] for panel in line])
            height = max(panel.size[1] for panel in line)
            x = 0
            for panel, width in zip(line, widths, strict=True):
                yield draw(panel, row.title, d.GridPos(x=x, y=y, w=width, h=height))
                x += width
            y += height


def broken(row: Row) -> Iterator[list[Panel]]:
    """Yield the panels of *row* in lines that fit into the grid."""
    line: list[Panel] = []
    for panel in row.panels:
        if sum(each.size[0] for each in line) + panel.size[0] > COLUMNS:
            yield line
            line = []
        line.append(panel)
    yield line


def widened(widths: list[int]) -> list[int]:
    """Return *widths* grown to fill the line, the narrowest first.

    >>> widened([3, 3, 4, 3, 3, 3])
    [4, 4, 4, 4, 4, 4]
    """
    grown = list(widths)
    while sum(grown) < COLUMNS:
        grown[grown.index(min(grown))] += 1
    return grown


def variables(board: Board) -> list[Builder[d.VariableModel]]:
    """Return data source, job, what the board chooses, and the cockpit's address."""
    source = dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")
    named = 'label_values({__name__=~"muster_build_info|muster_metrics_fold_position"}, job)'
    chosen = [dashboard.TextBoxVariable("cockpit").label("Cockpit").default_value(COCKPIT_ADDRESS)]
    if board.chooses:
        label, query = CHOICES[board.chooses]
        return [source, choice("job", "Job", named), choice(board.chooses, label, query, many=board.many), *chosen]
    return [source, choice("job", "Job", named), *chosen]


def choice(name: str, label: str, query: str, *, many: bool = True) -> dashboard.QueryVariable:
    """Return a variable whose values Prometheus knows, asked anew for each time range."""
    asked = dashboard.QueryVariable(name).label(label).query(query).definition(query).datasource(DATASOURCE)
    asked = (
        asked.refresh(d.VariableRefresh.ON_TIME_RANGE_CHANGED).sort(d.VariableSort.ALPHABETICAL_ASC).multi(many).include_all(many)
    )
    return asked.all_value(".*").current(ALL) if many else asked


def annotations() -> list[Builder[d.AnnotationQuery]]:
    """Return what is marked on every plot: trips of the safety cap, firing alerts, starts of replicas."""
    return [
        annotation("Safety cap tripped", TRIPPED, "red").title_format("Safety cap: {{campaign}}").tag_keys("campaign"),
        annotation("Firing alerts", FIRING, "orange")
        .title_format("{{alertname}}")
        .text_format("{{severity}} {{campaign}}")
        .tag_keys("severity"),
        annotation("Replica started", STARTED, "blue")
        .title_format("{{instance}} started")
        .use_value_for_time(use_value_for_time=True),
    ]


def annotation(name: str, expr: str, colour: str) -> dashboard.AnnotationQuery:
    """Return one annotation query."""
    return (
        dashboard.AnnotationQuery()
        .name(name)
        .datasource(DATASOURCE)
        .enable(enable=True)
        .icon_color(colour)
        .expr(expr)
        .step("60s")
    )


def links(board: Board) -> list[Builder[d.DashboardLink]]:
    """Return the links to the other dashboards, which keep variables and time, and to the cockpit."""
    path = "campaigns/${campaign:percentencode}" if board.uid == "muster-campaign" else ""
    others = (
        dashboard.DashboardLink("Muster dashboards")
        .type(d.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(as_dropdown=True)
    )
    cockpit = dashboard.DashboardLink("Cockpit").type(d.DashboardLinkType.LINK).url(f"$cockpit/{path}").icon("external link")
    return [
        others.include_vars(include_vars=True).keep_time(keep_time=True),
        cockpit.target_blank(target_blank=True).tooltip("Open the cockpit of Muster"),
    ]
