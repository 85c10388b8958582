"""How each kind of panel is drawn."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle, Wedge
from matplotlib.ticker import MultipleLocator

from grafana.panel import Kind, Panel
from grafana.preview import theme
from grafana.preview.answer import Series
from grafana.preview.unit import formatted

SMALL, BODY = 6.5, 7.5
HEAT = LinearSegmentedColormap.from_list("heat", ["#1f1a17", "#7f2704", "#d94801", "#fd8d3c", "#fdd0a2"])
MOST_NAMES = 10
SPANS: list[float] = [
    *(n * 10.0**power for power in range(-6, 1) for n in (1, 2, 5)),
    *(10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200),
    *(86_400 * days for days in (1, 2, 5, 10, 20)),
]
# Where the marks of an axis may stand, for units that are not decimal.
ROUND: dict[str, list[float]] = {
    "s": SPANS,
    "bytes": [n * 2**power for power in (0, 10, 20, 30) for n in (1, 2, 5, 10, 20, 50, 100, 200, 500)],
    "dateTimeAsIso": [1000 * span for span in SPANS if span >= 900],
}


@dataclass(frozen=True)
class Canvas:
    """The axes of one panel and the time that it shows."""

    axes: Axes
    since: float
    now: float
    wide: float


def lines(canvas: Canvas, panel: Panel, answers: list[list[Series]]) -> None:
    """Draw draw_lines over time, with limits as dashes; a query with a unit of its own has its axis at the right."""
    clock(canvas)
    left = [each for query, answer in zip(panel.queries, answers, strict=True) if not query.unit for each in answer]
    drawn = stacked(canvas, left) if panel.stacked else draw_lines(canvas.axes, left, filled="date" not in panel.unit)
    ticks(canvas.axes, panel.unit, canvas.now)
    low, high = canvas.axes.get_ylim()
    for limit, colour in panel.limits[1:]:
        if low <= limit <= high:
            canvas.axes.axhline(limit, color=theme.NAMED[colour], linewidth=0.8, linestyle="--", alpha=0.8)
    for query, answer in zip(panel.queries, answers, strict=True):
        if query.unit and answer:
            right = canvas.axes.twinx()
            drawn += draw_lines(right, answer, filled=False, after=len(drawn))
            ticks(right, query.unit, canvas.now)
            right.tick_params(length=0, labelsize=SMALL, pad=2)
            right.spines[:].set_visible(False)
    names(canvas, drawn)


def stacked(canvas: Canvas, series: list[Series]) -> list[tuple[str, str]]:
    """Draw *series* on top of each other; return their names and colours."""
    colours = [theme.of_series(each.name, index) for index, each in enumerate(series)]
    step = closest(series)
    places = range(round((canvas.now - canvas.since) / step) + 1)
    seen = [{round((at - canvas.since) / step): value for at, value in each.points} for each in series]
    times, heights = [canvas.since + step * place for place in places], [[one.get(at, 0.0) for at in places] for one in seen]
    canvas.axes.stackplot(times, heights, colors=colours, alpha=0.75, linewidth=0)
    return [(each.name, colour) for each, colour in zip(series, colours, strict=True)]


def closest(series: list[Series]) -> float:
    """Return the time between two points."""
    return min((later - at for each in series for at, later in pairwise(each.times)), default=60.0)


def draw_lines(axes: Axes, series: list[Series], *, filled: bool, after: int = 0) -> list[tuple[str, str]]:
    """Draw a line for each of *series*; return their names and colours."""
    step = closest(series)
    drawn = []
    for index, each in enumerate(series, after):
        colour = theme.of_series(each.name, index)
        whole = each.broken(step * 1.5)
        axes.plot(whole.times, whole.values, color=colour, linewidth=1.1)
        if filled:
            axes.fill_between(whole.times, whole.values, color=colour, alpha=0.07, linewidth=0)
        drawn.append((each.name, colour))
    if filled and not any(value < 0 for each in series for value in each.values):
        axes.set_ylim(bottom=0)
    return drawn


def clock(canvas: Canvas) -> None:
    """Write the hours below."""
    axes = canvas.axes
    axes.set_xlim(canvas.since, canvas.now)
    hours = (canvas.now - canvas.since) / 3600
    step = 3600 * next((each for each in (1 / 60, 1 / 12, 0.25, 0.5, 1, 2, 3, 6, 12, 24) if hours / each <= 7), 48)
    marks = [at * step for at in range(math.floor(canvas.since / step) + 1, math.floor(canvas.now / step) + 1)]
    axes.set_xticks(marks, [f"{datetime.fromtimestamp(mark, UTC):%H:%M}" for mark in marks])


def ticks(axes: Axes, unit: str, now: float) -> None:
    """Write the values at round numbers of *unit*."""
    low, high = axes.get_ylim()
    if steps := ROUND.get(unit):
        axes.yaxis.set_major_locator(MultipleLocator(next((step for step in steps if (high - low) / step <= 4), steps[-1] * 10)))
    else:
        axes.locator_params(axis="y", nbins=4)
    axes.yaxis.set_major_formatter(lambda value, _: formatted(value, unit, now))
    axes.grid(visible=True, color=theme.GRID, linewidth=0.5)
    axes.set_axisbelow(True)


def names(canvas: Canvas, named: list[tuple[str, str]]) -> None:
    """Write the legend below; what has no room is counted."""
    unique = list(dict.fromkeys(named))
    room: list[tuple[str, str]] = []
    width = 0.0
    for name, colour in unique:
        width += len(name) * 0.054 + 0.22
        if room and (width > canvas.wide or len(room) == MOST_NAMES):
            break
        room.append((name if len(name) < 40 else name[:39] + "…", colour))
    rest = len(unique) - len(room)
    marks = [Rectangle((0, 0), 1, 0.4, color=colour) for _, colour in room]
    texts = [name for name, _ in room]
    if rest:
        texts[-1] += f"  +{rest}"
    canvas.axes.legend(
        marks, texts, loc="upper left", bbox_to_anchor=(-0.01, -0.13), ncols=len(room), fontsize=SMALL, frameon=False,
        labelcolor=theme.TEXT, handlelength=1.1, handleheight=0.5, columnspacing=1.0, handletextpad=0.4, borderpad=0,
    )  # fmt: skip


def heat(canvas: Canvas, panel: Panel, answers: list[list[Series]]) -> None:
    """Draw how many fell between two bounds in each span of time."""
    by_bound = sorted((float(each.labels["le"]), dict(each.points)) for each in answers[0])
    times = sorted({at for _, points in by_bound for at in points})
    cells, below = [], dict.fromkeys(times, 0.0)
    for _, points in by_bound:
        cells.append([max(points.get(at, 0.0) - below[at], 0.0) or math.nan for at in times])
        below = {at: points.get(at, below[at]) for at in times}
    clock(canvas)
    if len(times) > 1:
        step = times[1] - times[0]
        edges = [*(at - step for at in times), times[-1]]
        canvas.axes.pcolormesh(edges, range(len(cells) + 1), cells, cmap=HEAT, vmin=0, edgecolor=theme.CARD, linewidth=0.2)
    bounds = ["" if math.isinf(bound) else formatted(bound, panel.unit) for bound, _ in by_bound]
    every = max(1, len(bounds) // 6)
    canvas.axes.set_yticks(range(1, len(bounds) + 1, every), bounds[::every])
    canvas.axes.set_ylim(0, len(bounds))


def stat(canvas: Canvas, panel: Panel, answers: list[list[Series]]) -> None:
    """Write the newest value large, with its course behind it."""
    series = [each for answer in answers for each in answer]
    count = min(len(series), 4)
    for index, each in enumerate(series[:count]):
        text = each.name if panel.is_name else formatted(each.last, panel.unit, canvas.now)
        text = panel.texts[each.last][0] if panel.texts and each.last in panel.texts else text
        centre = (index + 0.5) / count
        size = min(19.0, 108 * canvas.wide / count / max(len(text), 3))
        place: dict[str, Any] = {"transform": canvas.axes.transAxes, "ha": "center", "va": "center"}
        canvas.axes.text(centre, 0.55, text, color=theme.of_value(panel, each.last), fontsize=size, weight="bold", **place)
        if count > 1:
            canvas.axes.text(centre, 0.14, each.name, color=theme.FAINT, fontsize=SMALL, **place)
    if count == 1 and panel.has_sparkline:
        course = canvas.axes.inset_axes((0, 0, 1, 0.3))
        colour = theme.of_value(panel, series[0].last)
        whole = series[0].broken(1.5 * closest(series))
        course.set_xlim(canvas.since, canvas.now)
        course.plot(whole.times, whole.values, color=colour, linewidth=0.8, alpha=0.8)
        course.fill_between(whole.times, whole.values, color=colour, alpha=0.12, linewidth=0)
        course.axis("off")
    canvas.axes.axis("off")


def gauge(canvas: Canvas, panel: Panel, answers: list[list[Series]]) -> None:
    """Draw an arc filled up to the newest value, its limits around it."""
    axes, value = canvas.axes, answers[0][0].last
    most = panel.most or 1.0
    axes.set_aspect("equal")
    axes.set_xlim(-1.1, 1.1)
    axes.set_ylim(-0.15, 1.1)
    limits = panel.limits or ((0.0, "green"),)
    for (low, colour), (high, _) in zip(limits, [*limits[1:], (most, "")], strict=True):
        axes.add_patch(
            Wedge((0, 0), 1.05, 180 - 180 * high / most, 180 - 180 * low / most, width=0.05, color=theme.NAMED[colour])
        )
    axes.add_patch(Wedge((0, 0), 0.97, 0, 180, width=0.27, color=theme.GRID))
    filled = theme.of_value(panel, value) if panel.limits else theme.NAMED["green"]
    axes.add_patch(Wedge((0, 0), 0.97, 180 - 180 * min(value / most, 1), 180, width=0.27, color=filled))
    axes.text(0, 0.12, formatted(value, panel.unit), ha="center", va="center", fontsize=13, weight="bold", color=filled)
    axes.axis("off")


def bars(canvas: Canvas, panel: Panel, answers: list[list[Series]]) -> None:
    """Draw a bar for each series; buckets are taken apart first."""
    values = [(each.name, each.last) for each in answers[0]]
    if panel.queries[0].name == "{{le}}":
        ordered = sorted((float(name), value) for name, value in values)
        before = [0.0, *(value for _, value in ordered)]
        values = [
            (f"≤ {bound:g}" if math.isfinite(bound) else "more", value - less)
            for (bound, value), less in zip(ordered, before, strict=False)
        ]
    values = values[:9]
    most = panel.most or max((value for _, value in values), default=1.0) or 1.0
    axes = canvas.axes
    axes.set_xlim(0, most * 1.18)
    axes.set_ylim(len(values) - 0.4, -0.6)
    axes.barh(range(len(values)), most, height=0.55, color=theme.GRID)
    axes.barh(range(len(values)), [value for _, value in values], height=0.55, color=theme.NAMED["green"])
    for row, (_, value) in enumerate(values):
        axes.text(most * 1.02, row, formatted(value, panel.unit), va="center", fontsize=BODY, color=theme.TEXT)
    axes.set_yticks(range(len(values)), [name for name, _ in values])
    axes.set_xticks([])


def states(canvas: Canvas, panel: Panel, answers: list[list[Series]]) -> None:
    """Draw each series as a band whose colour is its value."""
    series = answers[0][:12]
    axes = canvas.axes
    clock(canvas)
    for row, each in enumerate(series):
        step = closest([each])
        for at, value in each.points:
            axes.add_patch(Rectangle((at - step, row + 0.12), step * 1.02, 0.76, color=theme.of_value(panel, value), linewidth=0))
    axes.set_ylim(len(series), 0)
    axes.set_yticks([row + 0.5 for row in range(len(series))], [each.name for each in series])
    names(canvas, [(text, theme.NAMED[colour]) for text, colour in (panel.texts or {}).values()])


def pie(canvas: Canvas, panel: Panel, answers: list[list[Series]]) -> None:
    """Draw shares as a ring, with their values beside it."""
    kept = sorted(((each.last, each.name) for each in answers[0] if each.last > 0), reverse=True)
    if not kept:
        return
    axes, whole = canvas.axes, sum(value for value, _ in kept)
    colours = [theme.of_series(name, index) for index, (_, name) in enumerate(kept)]
    axes.pie([value for value, _ in kept], colors=colours, radius=1.15, startangle=90, counterclock=False,
             wedgeprops={"width": 0.5, "edgecolor": theme.CARD}, center=(0, 0))  # fmt: skip
    axes.set_xlim(-1.3, 4.2)
    for row, ((value, name), colour) in enumerate(zip(kept, colours, strict=True)):
        high = 0.32 * (len(kept) - 1) / 2 - 0.32 * row
        axes.add_patch(Rectangle((1.5, high - 0.05), 0.16, 0.1, color=colour))
        text = f"{name}   {formatted(value, panel.unit)}   {100 * value / whole:.0f}%"
        axes.text(1.75, high, text, va="center", fontsize=BODY, color=theme.TEXT)


MARKS: dict[Kind, Callable[[Canvas, Panel, list[list[Series]]], None]] = {
    "timeseries": lines,
    "heatmap": heat,
    "stat": stat,
    "gauge": gauge,
    "bargauge": bars,
    "state-timeline": states,
    "piechart": pie,
}
