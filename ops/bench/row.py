"""A row of the table: what was measured, against what, and whether its bound is kept."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

HEADS = ("what", "ours", "baseline", "ratio", "bound", "verdict")


class Row(Struct, frozen=True, kw_only=True):
    """One measurement; *value* is what the bound speaks of, a ratio or a figure of its own."""

    what: str
    ours: str
    baseline: str = "-"
    value: float
    bound: float
    sense: Literal["at least", "at most"]

    @property
    def kept(self) -> bool:
        """Whether the bound is kept."""
        return self.value >= self.bound if self.sense == "at least" else self.value <= self.bound

    def cells(self) -> tuple[str, ...]:
        """Return what stands in each column."""
        bound = f"{self.sense} {self.bound:g}"
        return self.what, self.ours, self.baseline, f"{self.value:.2f}", bound, "kept" if self.kept else "MISSED"


def table(rows: Iterable[Row]) -> str:
    """Draw the rows, figures to the right.

    >>> print(table([Row(what="a", ours="1", value=0.5, bound=0.35, sense="at least")]))
    what  ours  baseline  ratio  bound          verdict
    a        1         -   0.50  at least 0.35  kept
    """
    lines = [HEADS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADS))]
    figures = range(1, 4)
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column in figures and line is not HEADS else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
