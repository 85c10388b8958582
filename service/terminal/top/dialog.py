"""Dialogs over the panes: a question or a text to read."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Static
from typing_extensions import override

HELP = """\
1-6       campaigns, units, workers, quarantine, events, engine
j k       down, up            g G   first, last
Enter     open what the cursor is on; a campaign opens its units
s         units: show those of the next state
r         retry: a unit, or everything in a campaign's quarantine
p         pause or resume: the campaign, in pane 6 the engine
b         reset the breaker of the campaign
R         recovery plans: apply or decline
K         fence every stale worker
D         save the diagnostics of the campaign here
?         this help           q     quit, or close what is open

Bars: █ done, ▒ running, ! quarantined, - skipped or cancelled.
What takes something away asks first. Times are yours."""


class ConfirmDialog(ModalScreen[str | None]):
    """A question. Its result is the key of the chosen answer, None when the dialog was closed."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,n,q", "dismiss", "No")]

    def __init__(self, question: str, answers: Sequence[tuple[str, str]] = (("y", "yes"),)) -> None:
        super().__init__()
        self.question = question
        self.answers = answers

    @override
    def compose(self) -> ComposeResult:
        choices = "   ".join([*(f"{key}: {meaning}" for key, meaning in self.answers), "n: leave it"])
        with Vertical(classes="box"):
            yield Static(Text(self.question), id="question")
            yield Static(Text(f"\n{choices}", style="bold"))

    def on_key(self, event: Key) -> None:
        """Close with the pressed key if it is the key of an answer."""
        if any(event.key == key for key, _ in self.answers):
            event.stop()
            self.dismiss(event.key)


class TextDialog(ModalScreen[None]):
    """A text to read, which scrolls."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,q,question_mark,enter", "dismiss", "Close"),
        ("j,down", "move(1)", "Down"),
        ("k,up", "move(-1)", "Up"),
        ("pagedown,space", "move(10)", "Page down"),
        ("pageup", "move(-10)", "Page up"),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self.heading = title
        self.text = text

    @override
    def compose(self) -> ComposeResult:
        with Vertical(classes="box wide"):
            yield Static(Text(self.heading, style="bold"))
            with VerticalScroll():
                yield Static(Text(self.text), id="text")

    def action_move(self, rows: int) -> None:
        """Scroll the text by *rows*."""
        self.query_one(VerticalScroll).scroll_relative(y=rows, animate=False)
