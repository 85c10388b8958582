"""Tables and lists of details: coloured on a terminal, plain aligned text everywhere else."""

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
"""Colours of states. Each state is also a word, so that nothing is lost without colours."""
PREFIX_STATES = ("Auto paused", "quota exhausted", "paused", "running")
"""States that more text may follow."""
CLICK_COLOURS: dict[str, str | int] = {"dark_orange": 208}
"""Colours that click knows by number only."""
GAP = "  "


@dataclass(frozen=True)
class Column(Generic[T]):
    """One column: its title, its text for an item, and whether it is aligned to the right."""

    title: str
    cell: Callable[[T], str]
    right: bool = False


def show_table(columns: Sequence[Column[T]], items: Iterable[T], *, nothing: str) -> None:
    """Print *items* as a table, or *nothing* on stderr when there are none."""
    rows = [cells(columns, item) for item in items]
    if not rows:
        click.echo(nothing, err=True)
    elif sys.stdout.isatty():
        _rich(columns, rows)
    else:
        click.echo("\n".join(plain_lines(columns, rows)))


def cells(columns: Sequence[Column[T]], item: T) -> list[str]:
    """Return the text of each column for *item*."""
    return [column.cell(item) for column in columns]


def plain_lines(columns: Sequence[Column[T]], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table, aligned by the cells that a terminal gives each character: two for a CJK one."""
    titled = [[column.title.upper() for column in columns], *rows]
    widths = [max(cell_len(row[index]) for row in titled) for index in range(len(columns))]
    return [
        GAP.join(
            aligned(cell, width, right=column.right) for cell, width, column in zip(row, widths, columns, strict=True)
        ).rstrip()
        for row in titled
    ]


def aligned(cell: str, width: int, *, right: bool) -> str:
    """Return *cell* padded to *width*."""
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
        table.add_row(*(Text(cell, style=state_colour(cell)) for cell in row))
    Console().print(table)


def show_details(pairs: Iterable[tuple[str, str]]) -> None:
    """Print one name and value a line, without empty values."""
    for name, value in aligned_details(pairs):
        click.echo(click.style(name, bold=True) + GAP + coloured_state(value))


def aligned_details(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the pairs with a value, their names padded to one width."""
    filled = [(name, value) for name, value in pairs if value not in ("", NOTHING)]
    width = max((cell_len(name) for name, _ in filled), default=0)
    return [(aligned(name, width, right=False), value) for name, value in filled]


def table_lines(columns: Sequence[Column[T]], items: Iterable[T]) -> list[str]:
    """Return the lines of a plain table of *items*; no lines, not even titles, without items."""
    rows = [cells(columns, item) for item in items]
    return plain_lines(columns, rows) if rows else []


def state_colour(cell: str) -> str:
    """Return the colour of a state, an empty text for any other text."""
    state = next((state for state in PREFIX_STATES if cell.startswith(f"{state} ")), cell)
    return COLOURS.get(state, "")


def coloured_state(value: str) -> str:
    """Return a state in its colour, which `click.echo` removes again where there is no terminal."""
    return click.style(value, fg=CLICK_COLOURS.get(style, style)) if (style := state_colour(value)) else value
