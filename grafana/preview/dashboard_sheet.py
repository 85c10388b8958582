"""A dashboard as a picture, panel by panel on Grafana's own grid."""

from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from grafana.layout import COLUMNS, broken, widened
from grafana.panel import Board, Panel
from grafana.preview import theme
from grafana.preview.answer import Source
from grafana.preview.grid import table
from grafana.preview.panel_renderers import MARKS, Canvas

CELL, GAP, DPI = (0.66, 0.34), 0.06, 100
HEAD = 0.55
Place = tuple[float, float, float, float]


def places(board: Board) -> Iterator[tuple[str | Panel, Place]]:
    """Yield headings and panels with x, y, width and height in inches from the upper left."""
    wide, tall = CELL
    y = HEAD
    for row in board.rows:
        yield row.title, (0, y, COLUMNS * wide, tall)
        y += tall
        for line in broken(row):
            height = max(panel.size[1] for panel in line) * tall
            x = 0.0
            for panel, columns in zip(line, widened([each.size[0] for each in line]), strict=True):
                yield panel, (x, y, columns * wide, height)
                x += columns * wide
            y += height


def sheet(board: Board, source: Source, note: str, path: Path) -> list[str]:
    """Draw *board* into *path* and return the titles of the panels without data."""
    laid = list(places(board))
    wide, tall = COLUMNS * CELL[0] + 2 * GAP, max(y + height for _, (_, y, _, height) in laid) + GAP
    figure = Figure(figsize=(wide, tall), dpi=DPI, facecolor=theme.PAGE)
    figure.text(0.012, 1 - 0.28 / tall, board.title, color=theme.TEXT, fontsize=14, weight="bold", va="center")
    figure.text(0.988, 1 - 0.28 / tall, note, color=theme.FAINT, fontsize=8, ha="right", va="center")
    empty = []
    with mpl.rc_context({"axes.edgecolor": theme.EDGE, "xtick.color": theme.FAINT, "ytick.color": theme.FAINT, "font.size": 6.5}):
        for what, place in laid:
            x, y, _, height = place
            if isinstance(what, str):
                figure.text(
                    (x + 2 * GAP) / wide, 1 - (y + height / 2) / tall, f"▾ {what}", color=theme.TEXT, fontsize=9, va="center"
                )
            elif not card(figure, what, source, place):
                empty.append(what.title)
    figure.savefig(path, facecolor=theme.PAGE)
    return empty


def card(figure: Figure, panel: Panel, source: Source, place: Place) -> bool:
    """Draw one panel; tell whether it had data."""
    x, y, width, height = place
    wide, tall = figure.get_size_inches()
    across = (width - GAP) / wide
    corner = ((x + GAP) / wide, 1 - (y + height - GAP / 2) / tall)
    style = f"round,pad=0,rounding_size={0.04 / wide}"
    figure.add_artist(
        FancyBboxPatch(
            corner,
            across,
            (height - GAP) / tall,
            boxstyle=style,
            facecolor=theme.CARD,
            edgecolor=theme.EDGE,
            linewidth=0.7,
            zorder=-1,
        )
    )
    figure.text(
        corner[0] + 0.1 / wide, 1 - (y + 0.19) / tall, panel.title, color=theme.TEXT, fontsize=8, weight="bold", va="center"
    )
    answers = source.ask(panel)
    if not any(answers):
        middle = 1 - (y + height / 2 + 0.05) / tall
        words = panel.empty or "no data"
        figure.text(corner[0] + across / 2, middle, words, color=theme.FAINT, fontsize=9, ha="center", va="center")
        return False
    left, right, above, below = inset(panel, width)
    axes = figure.add_axes(
        (
            (x + GAP + left) / wide,
            1 - (y + height - below) / tall,
            (width - GAP - left - right) / wide,
            (height - above - below) / tall,
        )
    )
    axes.set_facecolor("none")
    axes.tick_params(length=0, labelsize=6.5, pad=2)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    canvas = Canvas(axes, source.now - source.chosen.range_s, source.now, width - left - right)
    (table if panel.kind == "table" else MARKS[panel.kind])(canvas, panel, answers)
    return True


def inset(panel: Panel, width: float) -> Place:
    """Return the room in inches left, right, above and below the plot of *panel*."""
    if panel.kind in ("stat", "gauge", "piechart"):
        return 0.1, 0.1, 0.36, 0.14
    if panel.kind == "table":
        return 0.12, 0.1, 0.36, 0.1
    if panel.kind in ("bargauge", "state-timeline"):
        return min(1.0, width / 4), 0.15, 0.38, 0.42 if panel.kind == "state-timeline" else 0.12
    return (
        0.82 if "date" in panel.unit else 0.66,
        0.55 if any(query.unit for query in panel.queries) else 0.2,
        0.38,
        0.44 if panel.kind == "timeseries" else 0.26,
    )
