"""Tables and sheets: coloured on a terminal, plain aligned text everywhere else."""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import click
from rich.cells import cell_len

from service.terminal.formatting import NOTHING

T = TypeVar("T")

COLOURS = {
    "running": "cyan",
    "achieved": "green",
    "completed": "green",
    "done": "green",
    "healthy": "green",
    "open": "green",
    "ready": "blue",
    "delayed": "yellow",
    "parked": "yellow",
    "paused": "yellow",
    "warn": "yellow",
    "draining": "yellow",
    "stale": "dark_orange",
    "blocked": "bright_black",
    "skipped": "bright_black",
    "cancelled": "bright_black",
    "gone": "bright_black",
    "quarantined": "red",
    "failed": "red",
    "dead": "red",
    "fenced": "red",
    "closed": "red",
    "Auto paused": "red",
    "quota exhausted": "yellow",
}
"""A colour says nothing that the word does not."""
BEGUN = ("Auto paused", "quota exhausted", "paused", "running")
"""Words that go on after their colour is known."""
CLICK: dict[str, str | int] = {"dark_orange": 208}
"""Colours that click knows by another name."""
GAP = "  "


@dataclass(frozen=True)
class Column(Generic[T]):
    """One column: its title, what stands in it, and whether that is a number."""

    title: str
    cell: Callable[[T], str]
    right: bool = False


def show(columns: Sequence[Column[T]], items: Iterable[T], *, nothing: str) -> None:
    """Print *items* as a table, or the word for *nothing*."""
    rows = [cells(columns, item) for item in items]
    if not rows:
        click.echo(nothing, err=True)
    elif sys.stdout.isatty():
        _rich(columns, rows)
    else:
        click.echo("\n".join(plain(columns, rows)))


def cells(columns: Sequence[Column[T]], item: T) -> list[str]:
    """Return what stands in each column for *item*."""
    return [column.cell(item) for column in columns]


def plain(columns: Sequence[Column[T]], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table, aligned by the width that a terminal gives each character."""
    titled = [[column.title.upper() for column in columns], *rows]
    widths = [max(cell_len(row[place]) for row in titled) for place in range(len(columns))]
    return [
        GAP.join(
            aligned(cell, width, right=column.right) for cell, width, column in zip(row, widths, columns, strict=True)
        ).rstrip()
        for row in titled
    ]


def aligned(cell: str, width: int, *, right: bool) -> str:
    """Return *cell* filled up to *width*."""
    blank = " " * (width - cell_len(cell))
    return blank + cell if right else cell + blank


def _rich(columns: Sequence[Column[T]], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console  # noqa: PLC0415 - needed on a terminal alone, and slow to import
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, len(GAP), 0, 0))
    for column in columns:
        table.add_column(column.title.upper(), justify="right" if column.right else "left", overflow="ellipsis", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(cell, style=colour(cell)) for cell in row))
    Console().print(table)


def sheet(pairs: Iterable[tuple[str, str]]) -> None:
    """Print names and values below each other, leaving out what is empty."""
    for name, value in filled(pairs):
        click.echo(click.style(name, bold=True) + GAP + coloured(value))


def filled(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return what is not empty, the names filled up to one width."""
    kept = [(name, value) for name, value in pairs if value not in ("", NOTHING)]
    width = max((cell_len(name) for name, _ in kept), default=0)
    return [(aligned(name, width, right=False), value) for name, value in kept]


def table_lines(columns: Sequence[Column[T]], items: Iterable[T]) -> list[str]:
    """Return the lines of a plain table of *items*, none of nothing."""
    rows = [cells(columns, item) for item in items]
    return plain(columns, rows) if rows else []


def colour(cell: str) -> str:
    """Return the colour of a word of state, nothing for other words."""
    begun = next((words for words in BEGUN if cell.startswith(f"{words} ")), cell)
    return COLOURS.get(begun, "")


def coloured(value: str) -> str:
    """Return a word of state in its colour; `click.echo` takes it off again where there is no terminal."""
    return click.style(value, fg=CLICK.get(style, style)) if (style := colour(value)) else value
