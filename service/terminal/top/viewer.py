"""Six panes, of which one is visible, refreshed by events of the log; Enter opens the chosen item."""

from collections.abc import Coroutine
from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.timer import Timer
from textual.widgets import ContentSwitcher, DataTable, Static
from typing_extensions import override

from service.client.api_types import UNIT_STATES, ApiCampaign, ApiEvent, ApiQuarantinedUnit, ApiUnitRow, ApiWorker
from service.client.errors import AwayError, RefusedError
from service.client.http_client import ApiClient
from service.terminal.formatting import one_line
from service.terminal.render import campaign as campaign_render
from service.terminal.render import event as event_render
from service.terminal.render import unit as unit_render
from service.terminal.render import worker as worker_render
from service.terminal.top import details
from service.terminal.top.dialog import HELP, TextDialog
from service.terminal.top.pane import Pane
from service.terminal.top.refresher import Refresher
from service.terminal.top.snapshot import ScreenSnapshot, take_snapshot
from service.terminal.top.status_bar import KEYS, PANES, engine_line, tab_line

STATE_FILTERS = (None, *UNIT_STATES)
"""What the key s shows one after the other; None are the open states."""
CLOCK_S, SENTENCE_S = 1.0, 6.0


class EnginePane(VerticalScroll):
    """The engine, its quotas and the recovery plans."""

    BINDINGS: ClassVar[list[BindingType]] = [("j", "scroll_down", "Down"), ("k", "scroll_up", "Up")]


class Panes:
    """The five panes that are lists."""

    def __init__(self) -> None:
        self.campaigns = Pane[ApiCampaign](
            "campaigns", campaign_render.LIVE, campaign_render.NARROW, lambda campaign: campaign.name
        )
        self.units = Pane[ApiUnitRow]("units", unit_render.LIVE, unit_render.NARROW, lambda unit: unit.key)
        self.workers = Pane[ApiWorker]("workers", worker_render.LIST, worker_render.LIST, lambda worker: worker.worker)
        self.quarantine = Pane[ApiQuarantinedUnit](
            "quarantine", unit_render.QUARANTINE, unit_render.NARROW_QUARANTINE, lambda unit: f"{unit.campaign}/{unit.key}"
        )
        self.events = Pane[ApiEvent](
            "events", event_render.LIVE, event_render.NARROW, lambda event: str(event.position), newest=True
        )


class Viewer(App[None]):
    """An application that shows one service and changes nothing."""

    TITLE = "muster"
    CSS_PATH = "top.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(number), f"pane('{name}')", name.capitalize()) for number, name in enumerate(PANES, 1)),
        ("s", "state", "Next state"),
        ("question_mark", "help", "Help"),
        ("q", "quit", "Quit"),
    ]

    def __init__(self, service: ApiClient) -> None:
        super().__init__()
        self.service = service
        self.snapshot: ScreenSnapshot | None = None
        self.refresher = Refresher(service, self.load_snapshot)
        self.away: str | None = None
        self.state: str | None = None
        self.keys_timer: Timer | None = None
        self.panes = Panes()
        self.engine_text = Static(id="engine-text")
        self.lines = {name: Static(id=name) for name in ("strip", "tabs", "subject", "keys")}
        self.switcher = ContentSwitcher(initial="campaigns")

    @override
    def compose(self) -> ComposeResult:
        yield self.lines["strip"]
        yield self.lines["tabs"]
        yield self.lines["subject"]
        with self.switcher:
            yield from (self.panes.campaigns, self.panes.units, self.panes.workers, self.panes.quarantine, self.panes.events)
            with EnginePane(id="engine"):
                yield self.engine_text
        yield self.lines["keys"]

    def on_mount(self) -> None:
        """Start to refresh."""
        self.draw_keys()
        self.panes.campaigns.focus()
        self.set_interval(CLOCK_S, self.draw_lines)
        self.run_worker(self.refresher.run())

    async def load_snapshot(self) -> None:
        """Read what is on the screen and show it; without an answer the last snapshot stays."""
        chosen = None if self.campaign is None else self.campaign.name
        try:
            self.snapshot = await take_snapshot(self.service, self.pane, chosen, self.state)
            self.away = None
        except AwayError as error:
            self.away = one_line(str(error))
        except RefusedError as error:
            self.away = one_line(error.problem.explanation)
        self.draw()

    def refresh_soon(self) -> None:
        """Take the next snapshot soon instead of at the next interval."""
        self.refresher.wake()

    def draw(self) -> None:
        """Show the last snapshot."""
        snapshot = self.snapshot
        self.draw_lines()
        if snapshot is None:
            return
        self.panes.campaigns.fill(snapshot.campaigns)
        match self.pane:
            case "units":
                self.panes.units.fill(snapshot.units)
            case "workers":
                self.panes.workers.fill(sorted(snapshot.workers, key=worker_render.worst_first))
            case "quarantine":
                self.panes.quarantine.fill(snapshot.quarantine)
            case "events":
                self.panes.events.fill(list(reversed(self.refresher.events))[:200])
            case "engine":
                stream = "live" if self.refresher.streaming else "away, asking in turns"
                self.engine_text.update(Text(details.engine(snapshot.engine, snapshot.plans, stream)))
            case _:
                pass

    def draw_lines(self) -> None:
        """Show the lines around the panes."""
        engine = None if self.snapshot is None else self.snapshot.engine
        self.lines["strip"].update(engine_line(engine, self.away, streaming=self.refresher.streaming))
        self.lines["tabs"].update(tab_line(self.snapshot, self.pane))
        self.lines["subject"].update(Text(self.subject(), style="italic", no_wrap=True, overflow="ellipsis"))

    def draw_keys(self) -> None:
        """Show the keys."""
        self.lines["keys"].update(Text(KEYS, no_wrap=True, overflow="ellipsis"))

    def show_sentence(self, sentence: str, *, wrong: bool = False) -> None:
        """Show a sentence instead of the keys for a few seconds."""
        style = "bold white on red" if wrong else "bold"
        self.lines["keys"].update(Text(f" {sentence} ", style=style, no_wrap=True, overflow="ellipsis"))
        if self.keys_timer is not None:
            self.keys_timer.stop()
        self.keys_timer = self.set_timer(SENTENCE_S, self.draw_keys)

    def carry_out(self, work: Coroutine[Any, Any, str | None]) -> None:
        """Run *work* in the background and show its sentence, or why it failed."""

        async def done() -> None:
            try:
                sentence = await work
            except RefusedError as error:
                self.show_sentence(one_line(error.problem.explanation), wrong=True)
            except (AwayError, OSError) as error:
                self.show_sentence(one_line(str(error)), wrong=True)
            else:
                if sentence is not None:
                    self.show_sentence(sentence)
            self.refresh_soon()

        self.run_worker(done())

    def subject(self) -> str:
        """Return the line that says what the pane shows."""
        name = "no campaign" if self.campaign is None else one_line(self.campaign.name)
        match self.pane:
            case "units":
                return f" {name}: {self.state or 'open'} units; s shows the next state"
            case "campaigns" if (campaign := self.campaign) is not None:
                title = f" · {one_line(campaign.title)}" if campaign.title and campaign.title != campaign.name else ""
                return f" {name}: {campaign_render.state_counts(campaign) or 'no units'}{title}"
            case "quarantine" if (unit := self.panes.quarantine.chosen) is not None:
                return f" {one_line(unit.campaign)}: {one_line(unit.error)}"
            case "events":
                return " newest first, without heartbeats"
            case _:
                return ""

    @property
    def pane(self) -> str:
        """The visible pane."""
        return self.switcher.current or "campaigns"

    @property
    def campaign(self) -> ApiCampaign | None:
        """The chosen campaign: the one of the chosen unit in quarantine, else the one under the cursor of the campaigns."""
        if self.pane == "quarantine" and (unit := self.panes.quarantine.chosen) is not None and self.snapshot is not None:
            return self.snapshot.campaign(unit.campaign)
        return self.panes.campaigns.chosen

    @property
    def unit(self) -> ApiUnitRow | ApiQuarantinedUnit | None:
        """The chosen unit, if a pane of units is visible."""
        return {"units": self.panes.units.chosen, "quarantine": self.panes.quarantine.chosen}.get(self.pane)

    def action_pane(self, name: str) -> None:
        """Show a pane."""
        self.switcher.current = name
        self.switcher.get_child_by_id(name).focus()
        self.draw()
        self.refresh_soon()

    def action_state(self) -> None:
        """Show the units of the next state."""
        self.state = STATE_FILTERS[(STATE_FILTERS.index(self.state) + 1) % len(STATE_FILTERS)]
        self.action_pane("units")

    def action_help(self) -> None:
        """Show the keys."""
        self.push_screen(TextDialog("muster top", HELP))

    def on_data_table_row_highlighted(self) -> None:
        """Update the line about the chosen item."""
        self.draw_lines()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Open the item under the cursor; a campaign opens its units."""
        event.stop()
        if self.pane == "campaigns":
            self.state = None
            self.panes.units.fill([])
            self.action_pane("units")
        else:
            self.carry_out(self._open())

    async def _open(self) -> str | None:
        campaign, unit = self.campaign, self.unit
        chosen: Any = {"workers": self.panes.workers.chosen, "events": self.panes.events.chosen}.get(self.pane)
        if unit is not None and campaign is not None:
            self.push_screen(TextDialog(one_line(unit.key), await details.unit(self.service, campaign.name, unit.key)))
        elif isinstance(chosen, ApiWorker):
            self.push_screen(TextDialog(one_line(chosen.worker), details.worker(chosen)))
        elif isinstance(chosen, ApiEvent):
            self.push_screen(TextDialog(chosen.kind, details.event(chosen)))
        return None
