"""Plots as SVG, rendered on the server; each also says in words what it shows."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from markupsafe import Markup
from msgspec import Struct

from projections.cockpit.text.formatting import count, span
from projections.views.campaign.timeline import Timeline
from projections.views.measurement import microseconds

WIDE, HIGH = 360, 170
LEFT, RIGHT, TOP, BOTTOM = 40, 8, 10, 22
INNER_W, INNER_H = WIDE - LEFT - RIGHT, HIGH - TOP - BOTTOM
SPARK_W, SPARK_H, SPARK_SLOTS = 96, 24, 32
HOUR_US = 3_600_000_000
DAY = timedelta(days=1)
ROUND_STEPS = (1, 2, 2.5, 5, 10)
FLOOR = Markup('<line class="axis" x1="{}" y1="{}" x2="{}" y2="{}"/>')
TICK = Markup('<line class="grid" x1="{}" y1="{:.1f}" x2="{}" y2="{:.1f}"/><text x="{}" y="{:.1f}" text-anchor="end">{}</text>')
TIME_LABEL = Markup('<text x="{:.1f}" y="{}" text-anchor="{}" data-clock="{}" data-at="{}">{}</text>')


class RenderedPlot(Struct, frozen=True):
    """A plot as SVG, and what it shows in words."""

    svg: Markup
    words: str


def round_up(value: float) -> float:
    """Return a round number that is at least *value*.

    >>> round_up(7), round_up(23), round_up(0)
    (10.0, 25.0, 1.0)
    """
    if value <= 0:
        return 1.0
    size = 10 ** (len(str(int(value))) - 1) if value >= 1 else 0.1
    return next(size * step for step in ROUND_STEPS if size * step >= value) * 1.0


def with_axes(shapes: Markup, top: float, begun_us: int, ended_us: int, words: str) -> Markup:
    """Return a plot with its axes; *top* is the value at the upper edge."""
    lines = Markup("").join(
        TICK.format(LEFT, y(part), WIDE - RIGHT, y(part), LEFT - 4, y(part) + 3.5, short(top * part)) for part in (0.0, 0.5, 1.0)
    )
    begun, ended = instant(begun_us), instant(ended_us)
    form = "%d %b %H:%M" if ended - begun > DAY else "%H:%M" if ended - begun > timedelta(minutes=5) else "%H:%M:%S"
    marks = Markup("").join(
        TIME_LABEL.format(x, HIGH - 6, anchor, form, f"{at:%Y-%m-%dT%H:%M:%SZ}", at.strftime(form))
        for x, anchor, at in (
            (LEFT, "start", begun),
            (LEFT + INNER_W / 2, "middle", begun + (ended - begun) / 2),
            (WIDE - RIGHT, "end", ended),
        )
    )
    floor = FLOOR.format(LEFT, HIGH - BOTTOM, WIDE - RIGHT, HIGH - BOTTOM)
    return Markup('<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}{}</svg>').format(
        WIDE, HIGH, words, lines, shapes, floor, marks
    )


def y(part: float) -> float:
    """Return the coordinate of a share of the upper edge's value."""
    return TOP + INNER_H * (1 - part)


def short(value: float) -> str:
    """Return a number that fits beside an axis.

    >>> short(1500), short(2.5), short(0), short(2_000_000)
    ('1.5k', '2.5', '0', '2M')
    """
    for size, letter in ((1_000_000, "M"), (1000, "k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def instant(at_us: int) -> datetime:
    """Return microseconds since 1970 as an instant."""
    return datetime.fromtimestamp(at_us / 1_000_000, tz=UTC)


def end_us(timeline: Timeline, at: datetime) -> int:
    """Return when the plots of a timeline end: now, or with its last slot."""
    begun = timeline.begun_us or 0
    return max(microseconds(at), begun + max(len(timeline.done), 1) * timeline.width_us)


def progress(timeline: Timeline, total: int, at: datetime) -> RenderedPlot:
    """Return the units done over time, on the way to *total*."""
    begun, ended = timeline.begun_us or 0, end_us(timeline, at)
    done = sum(timeline.done)
    words = f"Progress: {count(done)} of {count(total)} units done, {span((ended - begun) / 1_000_000)} since the first claim."
    points = [(0.0, 0.0)]
    reached = 0
    for slot, number in enumerate(timeline.done):
        reached += number
        points.append(((slot + 1) * timeline.width_us / (ended - begun), reached))
    points.append((1.0, reached))
    top = round_up(max(total, reached, 1))
    line = " ".join(f"{LEFT + INNER_W * min(x, 1):.1f},{y(value / top):.1f}" for x, value in points)
    area = Markup('<polygon class="area" points="{} {},{} {},{}"/><polyline class="line" points="{}"/>').format(
        line, WIDE - RIGHT, HIGH - BOTTOM, LEFT, HIGH - BOTTOM, line
    )
    goal = Markup('<line class="goal" x1="{}" y1="{:.1f}" x2="{}" y2="{:.1f}"/>').format(
        LEFT, y(total / top), WIDE - RIGHT, y(total / top)
    )
    return RenderedPlot(with_axes(area + goal, top, begun, ended, words), words)


def throughput(timeline: Timeline, at: datetime) -> RenderedPlot:
    """Return units done and attempts failed per hour, slot by slot."""
    begun, ended = timeline.begun_us or 0, end_us(timeline, at)
    scale = HOUR_US / timeline.width_us
    peak = max((done + failed for done, failed in zip(timeline.done, timeline.failed, strict=True)), default=0) * scale
    words = (
        f"Throughput in units per hour: at most {count(max(timeline.done, default=0) * scale)} done,"
        f" {count(sum(timeline.failed))} attempts failed in all; each bar is {span(timeline.width_us / 1_000_000)}."
    )
    top = round_up(peak)
    wide = INNER_W * timeline.width_us / (ended - begun)
    bars = Markup("").join(
        bar(LEFT + slot * wide, wide, done * scale / top, failed * scale / top)
        for slot, (done, failed) in enumerate(zip(timeline.done, timeline.failed, strict=True))
        if done or failed
    )
    return RenderedPlot(with_axes(bars, top, begun, ended, words), words)


def bar(x: float, wide: float, done: float, failed: float) -> Markup:
    """Return one bar: done below, failed above."""
    inner = max(wide - (1 if wide > 3 else 0), 0.8)  # noqa: PLR2004 - a gap is seen from three pixels on
    shape = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>')
    good = shape.format("bar-done", x, y(done), inner, INNER_H * done) if done else Markup("")
    bad = shape.format("bar-failed", x, y(done + failed), inner, INNER_H * failed) if failed else Markup("")
    return good + bad + bad.replace("bar-failed", "hatched")


def durations(bounds: Sequence[float], buckets: Sequence[int]) -> RenderedPlot:
    """Return how long attempts took, as a row of boxes: the darker, the more attempts."""
    names = [f"≤ {span(bound)}" for bound in bounds] + [f"> {span(bounds[-1])}"]
    counts = [*buckets, *[0] * (len(names) - len(buckets))]
    total = sum(counts)
    words = "Duration of attempts: " + ", ".join(f"{name} {count(n)}" for name, n in zip(names, counts, strict=True) if n)
    wide, high = WIDE / len(names), 46
    boxes = Markup("").join(
        Markup(
            '<rect class="heat{}" x="{:.1f}" y="0" width="{:.1f}" height="{}"/>'
            '<text class="{}" x="{:.1f}" y="18" text-anchor="middle">{}</text>'
            '<text x="{:.1f}" y="44" text-anchor="middle">{}</text>'
        ).format(
            heat(number, total),
            index * wide + 1,
            wide - 2,
            28,
            f"on-heat{heat(number, total)}",
            (index + 0.5) * wide,
            short(number),
            (index + 0.5) * wide,
            name,
        )
        for index, (name, number) in enumerate(zip(names, counts, strict=True))
    )
    svg = Markup('<svg class="plot boxes" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>')
    return RenderedPlot(svg.format(WIDE, high, words, boxes), words)


def heat(number: int, total: int) -> int:
    """Return how dark the box of a share is, from 0 to 4.

    >>> heat(0, 10), heat(1, 10), heat(9, 10)
    (0, 1, 4)
    """
    return min(1 + int(number * 4 / total), 4) if number else 0


def sparkline(timeline: Timeline) -> Markup:
    """Return the last slots of a timeline as a line without axes; it is decorative, the numbers are beside it."""
    last = timeline.done[-SPARK_SLOTS:]
    if len(last) < 2:  # noqa: PLR2004 - a line has two ends
        return Markup("")
    top, step = max(*last, 1), SPARK_W / (len(last) - 1)
    points = " ".join(f"{index * step:.1f},{SPARK_H - 2 - (SPARK_H - 4) * value / top:.1f}" for index, value in enumerate(last))
    return Markup('<svg class="spark" viewBox="0 0 {} {}" aria-hidden="true"><polyline class="line" points="{}"/></svg>').format(
        SPARK_W, SPARK_H, points
    )
