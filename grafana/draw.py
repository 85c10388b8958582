"""A panel of the boards as a panel of Grafana, by the types of the foundation SDK."""

from collections.abc import Callable
from string import ascii_uppercase
from zlib import crc32

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    heatmap,
    piechart,
    prometheus,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders import gauge as gauge_builder
from grafana_foundation_sdk.builders import stat as stat_builder
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as c
from grafana_foundation_sdk.models import dashboard as d
from grafana_foundation_sdk.models import heatmap as h
from grafana_foundation_sdk.models import piechart as p
from grafana_foundation_sdk.models.prometheus import Dataquery, PromQueryFormat

from grafana.panel import COLOURS, Kind, Link, Panel, Query, Steps

DATASOURCE = c.DataSourceRef(type_val="prometheus", uid="${datasource}")
IDS = range(10_000, 100_000)
# Buckets of a heat map need at least two scrapes each.
HEAT_INTERVAL, HEAT_COLUMNS = "1m", 60


def identity(*titles: str) -> int:
    """Return an id that stays when panels are added or moved: links to one panel live on."""
    return IDS.start + crc32("/".join(titles).encode()) % len(IDS)


def draw(panel: Panel, row: str, place: d.GridPos) -> d.Panel:
    """Return *panel* at *place*."""
    drawn = OPTIONS[panel.kind](panel).build()
    drawn.id_val = identity(row, panel.title)
    drawn.title, drawn.description = panel.title, panel.description
    drawn.datasource, drawn.grid_pos = DATASOURCE, place
    drawn.targets = [target(panel, query, letter) for query, letter in zip(panel.queries, ascii_uppercase, strict=False)]
    if panel.kind == "heatmap":
        drawn.interval, drawn.max_data_points = HEAT_INTERVAL, HEAT_COLUMNS
    if panel.kind == "table":
        drawn.transformations = columns(panel)
    if not panel.labels:
        drawn.links = [leads(link) for link in panel.links]
    drawn.field_config = fields(panel, drawn.field_config)
    return drawn


def target(panel: Panel, query: Query, letter: str) -> Dataquery:
    """Return one query of *panel*."""
    asked = prometheus.Dataquery().ref_id(letter).datasource(DATASOURCE).expr(query.expr)
    asked = asked.instant() if panel.asks_now else asked.range()
    if panel.kind == "table":
        return asked.format(PromQueryFormat.TABLE).build()
    if query.name == "{{le}}":
        asked = asked.format(PromQueryFormat.HEATMAP)
    if panel.kind in ("timeseries", "heatmap") and "_seconds_bucket" in query.short:
        asked = asked.exemplar(exemplar=True)
    return asked.legend_format(query.name or panel.title).build()


def fields(panel: Panel, config: d.FieldConfigSource | None) -> d.FieldConfigSource:
    """Return unit, limits, texts, colours and links of the values."""
    config = config or d.FieldConfigSource(defaults=d.FieldConfig(), overrides=[])
    shown = config.defaults
    shown.unit, shown.no_value = panel.unit, panel.empty or None
    shown.max_val = panel.most
    if (
        panel.kind in ("timeseries", "gauge", "bargauge")
        and "date" not in panel.unit
        and (not panel.limits or panel.limits[0][0] >= 0)
    ):
        shown.min_val = 0
    if panel.limits:
        shown.thresholds = steps(panel.limits)
    if panel.kind in ("stat", "gauge", "state-timeline"):
        shown.color = d.FieldColor(mode=d.FieldColorModeId.THRESHOLDS)
    if panel.texts:
        named = {f"{value:g}": d.ValueMappingResult(text=text, color=colour) for value, (text, colour) in panel.texts.items()}
        shown.mappings = [d.ValueMap(options=named)]
    if not panel.labels:
        shown.links = [leads(link) for link in panel.links if "${__field" in link.url] or None
    config.overrides = [*overrides(panel)]
    return config


def steps(limits: Steps) -> d.ThresholdsConfig:
    """Return *limits*; the first colour holds from below."""
    (_, first), *rest = limits
    marks = [d.Threshold(value=None, color=first), *(d.Threshold(value=value, color=colour) for value, colour in rest)]
    return d.ThresholdsConfig(mode=d.ThresholdsMode.ABSOLUTE, steps=marks)


def overrides(panel: Panel) -> list[d.DashboardFieldConfigSourceOverrides]:
    """Return units and links of a table's columns, colours of known label values elsewhere."""
    if panel.kind == "table":
        return [*column_units(panel), *column_links(panel)]
    units = [override(query.name, {"unit": query.unit, "custom.axisPlacement": "right"}) for query in panel.queries if query.unit]
    if not any("{{" in query.name for query in panel.queries):
        return units
    known = [(f"^(?:{'|'.join(words.split())})$", colour) for colour, words in COLOURS.items()]
    painted = [override(words, {"color": {"mode": "fixed", "fixedColor": colour}}, "byRegexp") for words, colour in known]
    return units + painted if panel.kind in ("timeseries", "piechart") else units


def override(name: str, properties: dict[str, object], by: str = "byName") -> d.DashboardFieldConfigSourceOverrides:
    """Return *properties* for the fields called *name*."""
    return d.DashboardFieldConfigSourceOverrides(
        matcher=d.MatcherConfig(id_val=by, options=name),
        properties=[d.DynamicConfigValue(id_val=key, value=value) for key, value in properties.items()],
    )


def column_units(panel: Panel) -> list[d.DashboardFieldConfigSourceOverrides]:
    """Return the unit of each column that has its own; a share is drawn as a bar."""
    bar: dict[str, object] = {"custom.cellOptions": {"type": "gauge", "mode": "basic"}, "min": 0, "max": 1}
    return [
        override(query.name, {"unit": query.unit} | (bar if query.unit == "percentunit" else {}))
        for query in panel.queries
        if query.unit
    ]


def column_links(panel: Panel) -> list[d.DashboardFieldConfigSourceOverrides]:
    """Return the links of each column that has some."""
    names = panel.labels or {}
    return [
        override(
            names[field],
            {
                "links": [
                    {"title": link.title, "url": link.url, "targetBlank": True} for link in panel.links if link.field == field
                ]
            },
        )
        for field in dict.fromkeys(link.field for link in panel.links)
    ]


def columns(panel: Panel) -> list[d.DataTransformerConfig]:
    """Return what joins the answers of a table on their labels, names the columns and leaves out the rest."""
    values = (
        {f"Value #{letter}": query.name for query, letter in zip(panel.queries, ascii_uppercase, strict=False) if query.name}
        if len(panel.queries) > 1
        else {"Value": panel.queries[0].name}
    )
    shown = (panel.labels or {}) | {value: name for value, name in values.items() if name}
    organised = {
        "excludeByName": dict.fromkeys(("Time", *panel.hidden), True),
        "indexByName": {field: index for index, field in enumerate(shown)},
        "renameByName": shown,
    }
    return [d.DataTransformerConfig(id_val="merge", options={}), d.DataTransformerConfig(id_val="organize", options=organised)]


def leads(link: Link) -> d.DashboardLink:
    """Return *link*, opened in a tab of its own."""
    return (
        dashboard.DashboardLink(link.title).url(link.url).type(d.DashboardLinkType.LINK).target_blank(target_blank=True).build()
    )


def last() -> common.ReduceDataOptions:
    """Return the reduction of a series to its newest value."""
    return common.ReduceDataOptions().calcs(["lastNotNull"])


def legend() -> common.VizLegendOptions:
    """Return a legend below."""
    return (
        common.VizLegendOptions()
        .show_legend(show_legend=True)
        .display_mode(c.LegendDisplayMode.LIST)
        .placement(c.LegendPlacement.BOTTOM)
    )


def tooltip() -> common.VizTooltipOptions:
    """Return a tooltip over all series, largest first."""
    return common.VizTooltipOptions().mode(c.TooltipDisplayMode.MULTI).sort(c.SortOrder.DESCENDING)


def _timeseries(panel: Panel) -> Builder[d.Panel]:
    drawn = timeseries.Panel().legend(legend()).tooltip(tooltip()).line_width(1).show_points(c.VisibilityMode.NEVER)
    drawn = drawn.fill_opacity(60 if panel.stacked else 8)
    if panel.limits:
        drawn = drawn.thresholds_style(common.GraphThresholdsStyleConfig().mode(c.GraphThresholdsStyleMode.DASHED))
    return drawn.stacking(common.StackingConfig().mode(c.StackingMode.NORMAL)) if panel.stacked else drawn


def _stat(panel: Panel) -> Builder[d.Panel]:
    graph = c.BigValueGraphMode.AREA if panel.has_sparkline else c.BigValueGraphMode.NONE
    names = c.BigValueTextMode.NAME if panel.is_name else c.BigValueTextMode.AUTO
    coloured = c.BigValueColorMode.VALUE if panel.limits or panel.texts else c.BigValueColorMode.NONE
    return stat_builder.Panel().graph_mode(graph).color_mode(coloured).text_mode(names).reduce_options(last())


def _heatmap(panel: Panel) -> Builder[d.Panel]:
    scale = heatmap.HeatmapColorOptions().mode(h.HeatmapColorMode.SCHEME).scheme("Oranges").exponent(0.5).steps(64)
    axis = heatmap.YAxisConfig().unit(panel.unit).axis_placement(c.AxisPlacement.LEFT)
    return heatmap.Panel().calculate(calculate=False).color(scale).y_axis(axis).show_legend().cell_gap(1)


def _table(_: Panel) -> Builder[d.Panel]:
    return table.Panel().show_header(show_header=True)


def _states(_: Panel) -> Builder[d.Panel]:
    return (
        statetimeline.Panel()
        .legend(legend())
        .tooltip(tooltip())
        .show_value(c.VisibilityMode.NEVER)
        .merge_values(merge_values=True)
    )


def _gauge(_: Panel) -> Builder[d.Panel]:
    return gauge_builder.Panel().reduce_options(last())


def _bars(_: Panel) -> Builder[d.Panel]:
    return bargauge.Panel().reduce_options(last()).orientation(c.VizOrientation.HORIZONTAL)


def _pie(_: Panel) -> Builder[d.Panel]:
    named = piechart.PieChartLegendOptions().show_legend(show_legend=True).display_mode(c.LegendDisplayMode.TABLE)
    named = named.placement(c.LegendPlacement.RIGHT).values([p.PieChartLegendValues.VALUE, p.PieChartLegendValues.PERCENT])
    return piechart.Panel().pie_type(p.PieChartType.DONUT).legend(named).reduce_options(last()).tooltip(tooltip())


OPTIONS: dict[Kind, Callable[[Panel], Builder[d.Panel]]] = {
    "timeseries": _timeseries,
    "stat": _stat,
    "heatmap": _heatmap,
    "table": _table,
    "state-timeline": _states,
    "gauge": _gauge,
    "bargauge": _bars,
    "piechart": _pie,
}
