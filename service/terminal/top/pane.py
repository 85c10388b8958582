"""A pane: a list that is refreshed while its cursor stays on the same item."""

from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, TypeVar

from rich.text import Text
from textual.binding import BindingType
from textual.events import Resize
from textual.widgets import DataTable
from typing_extensions import override

from service.terminal.render.table import Column, cells, state_colour

T = TypeVar("T")
WIDE_CELLS = 110
MOVES: list[BindingType] = [
    ("j", "cursor_down", "Down"),
    ("k", "cursor_up", "Up"),
    ("g", "scroll_top", "First"),
    ("G", "scroll_bottom", "Last"),
]


class Pane(DataTable[Text], Generic[T]):
    """A list of items, each with a unique key. With *newest* first, a cursor on the first item stays on the first item."""

    BINDINGS: ClassVar[list[BindingType]] = MOVES

    def __init__(
        self,
        name: str,
        wide: Sequence[Column[T]],
        narrow: Sequence[Column[T]],
        key: Callable[[T], str],
        *,
        newest: bool = False,
    ) -> None:
        super().__init__(id=name, cursor_type="row", cell_padding=1)
        self.newest = newest
        self.wide, self.narrow = wide, narrow
        self.columns_of = narrow
        self.key_of = key
        self.items: list[T] = []
        self._rows: dict[str, list[str]] = {}

    @override
    def on_mount(self) -> None:
        self._add_columns()

    def on_resize(self, event: Resize) -> None:
        """Show the columns that fit."""
        fitting = self.wide if event.size.width >= WIDE_CELLS else self.narrow
        if fitting is not self.columns_of:
            self.columns_of, items, row = fitting, self.items, self.cursor_row
            self.clear(columns=True)
            self._add_columns()
            self._rows = {}
            self.fill(items)
            self.move_cursor(row=row, animate=False)

    def _add_columns(self) -> None:
        for index, column in enumerate(self.columns_of):
            self.add_column(Text(column.title, justify="right" if column.right else "left"), key=str(index))

    @property
    def chosen(self) -> T | None:
        """The item under the cursor."""
        return self.items[self.cursor_row] if 0 <= self.cursor_row < len(self.items) else None

    def fill(self, items: Sequence[T]) -> None:
        """Show *items*; a cell whose text is unchanged is not drawn again."""
        fresh = {self.key_of(item): cells(self.columns_of, item) for item in items}
        unique = {self.key_of(item): item for item in items}
        if list(fresh) == list(self._rows):
            for key, row in fresh.items():
                self._update_row(key, self._rows[key], row)
        else:
            self._replace_rows(fresh)
        self.items, self._rows = list(unique.values()), fresh

    def _update_row(self, key: str, before: list[str], after: list[str]) -> None:
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            if old != new:
                self.update_cell(key, str(index), self._text(index, new), update_width=True)

    def _replace_rows(self, rows: dict[str, list[str]]) -> None:
        chosen = self.chosen
        cursor_key = None if chosen is None or (self.newest and self.cursor_row == 0) else self.key_of(chosen)
        top = self.scroll_y
        self.clear()
        for key, row in rows.items():
            self.add_row(*(self._text(index, cell) for index, cell in enumerate(row)), key=key)
        if cursor_key in rows:
            self.move_cursor(row=list(rows).index(cursor_key), animate=False, scroll=False)
        self.scroll_to(y=top, animate=False)

    def _text(self, index: int, cell: str) -> Text:
        return Text(cell, style=state_colour(cell), justify="right" if self.columns_of[index].right else "left")
