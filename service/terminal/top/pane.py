"""A pane: a list that is always fresh under a cursor that stays where it was."""

from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, TypeVar

from rich.text import Text
from textual.binding import BindingType
from textual.events import Resize
from textual.widgets import DataTable
from typing_extensions import override

from service.terminal.render.table import Column, cells, colour

T = TypeVar("T")
WIDE = 110
MOVES: list[BindingType] = [
    ("j", "cursor_down", "Down"),
    ("k", "cursor_up", "Up"),
    ("g", "scroll_top", "First"),
    ("G", "scroll_bottom", "Last"),
]


class Pane(DataTable[Text], Generic[T]):
    """A list of things, each with a key that is its own; with *newest* first, a cursor on the first stays there."""

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
        self._shown: dict[str, list[str]] = {}

    @override
    def on_mount(self) -> None:
        self._head()

    def on_resize(self, event: Resize) -> None:
        """Take the columns that fit."""
        fitting = self.wide if event.size.width >= WIDE else self.narrow
        if fitting is not self.columns_of:
            self.columns_of, items, row = fitting, self.items, self.cursor_row
            self.clear(columns=True)
            self._head()
            self._shown = {}
            self.fill(items)
            self.move_cursor(row=row, animate=False)

    def _head(self) -> None:
        for place, column in enumerate(self.columns_of):
            self.add_column(Text(column.title, justify="right" if column.right else "left"), key=str(place))

    @property
    def chosen(self) -> T | None:
        """The thing under the cursor."""
        return self.items[self.cursor_row] if 0 <= self.cursor_row < len(self.items) else None

    def fill(self, items: Sequence[T]) -> None:
        """Show *items*; what stays the same is not drawn again."""
        fresh = {self.key_of(item): cells(self.columns_of, item) for item in items}
        unique = {self.key_of(item): item for item in items}
        if list(fresh) == list(self._shown):
            for key, row in fresh.items():
                self._change(key, self._shown[key], row)
        else:
            self._replace(fresh)
        self.items, self._shown = list(unique.values()), fresh

    def _change(self, key: str, before: list[str], after: list[str]) -> None:
        for place, (old, new) in enumerate(zip(before, after, strict=True)):
            if old != new:
                self.update_cell(key, str(place), self._text(place, new), update_width=True)

    def _replace(self, rows: dict[str, list[str]]) -> None:
        chosen = self.chosen
        kept = None if chosen is None or (self.newest and self.cursor_row == 0) else self.key_of(chosen)
        top = self.scroll_y
        self.clear()
        for key, row in rows.items():
            self.add_row(*(self._text(place, cell) for place, cell in enumerate(row)), key=key)
        if kept in rows:
            self.move_cursor(row=list(rows).index(kept), animate=False, scroll=False)
        self.scroll_to(y=top, animate=False)

    def _text(self, place: int, cell: str) -> Text:
        return Text(cell, style=colour(cell), justify="right" if self.columns_of[place].right else "left")
