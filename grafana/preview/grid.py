"""How a table is drawn."""

from typing import Any

from grafana.panel import Panel
from grafana.preview import theme
from grafana.preview.answer import Series
from grafana.preview.panel_renderers import BODY, Canvas
from grafana.preview.unit import formatted


def cells(panel: Panel, answers: list[list[Series]], now: float) -> tuple[list[str], list[list[str]]]:
    """Return the heads of the columns and the rows, the answers joined on their labels."""
    labels = panel.labels or {}
    carried = [{label for each in answer for label in each.labels} for answer in answers if answer]
    common = [label for label in labels if all(label in names for names in carried)]
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    for query, answer in zip(panel.queries, answers, strict=True):
        for each in answer:
            row = rows.setdefault(tuple(each.labels.get(label, "") for label in common), {})
            row.update({name: each.labels[label] for label, name in labels.items() if label in each.labels})
            if query.name:
                row[query.name] = formatted(each.last, query.unit or panel.unit, now)
    heads = [*labels.values(), *(query.name for query in panel.queries if query.name)]
    return heads, [[row.get(head, "") for head in heads] for _, row in sorted(rows.items())]


def table(canvas: Canvas, panel: Panel, answers: list[list[Series]]) -> None:
    """Write what fits of a table."""
    heads, rows = cells(panel, answers, canvas.now)
    axes = canvas.axes
    axes.axis("off")
    tall = axes.get_window_extent().height / axes.figure.dpi
    room = max(int(tall / 0.2) - 1, 1)
    shown_rows = rows[:room]
    widths = [max(len(head), *(len(row[column]) for row in shown_rows), 4) + 2 for column, head in enumerate(heads)]
    left = 0.0
    for column, head in enumerate(heads):
        place: dict[str, Any] = {"transform": axes.transAxes, "va": "center", "clip_on": True}
        axes.text(left, 1 - 0.1 / tall, head, color=theme.NAMED["blue"], fontsize=BODY, weight="bold", **place)
        for line, row in enumerate(shown_rows):
            axes.text(left, 1 - (0.32 + 0.2 * line) / tall, row[column], color=theme.TEXT, fontsize=BODY, **place)
        left += widths[column] / sum(widths)
    if len(rows) > room:
        axes.text(
            1, 1 - 0.1 / tall, f"{room} of {len(rows)}", transform=axes.transAxes, ha="right", fontsize=BODY, color=theme.FAINT
        )
