"""Six panes, one of them seen, kept fresh by the watch; what is chosen is opened."""

from collections.abc import Coroutine
from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.timer import Timer
from textual.widgets import ContentSwitcher, DataTable, Static
from typing_extensions import override

from service.client.api_types import ApiCampaign, ApiEvent, ApiQuarantinedUnit, ApiUnitRow, ApiWorker
from service.client.errors import AwayError, RefusedError
from service.client.http_client import ApiClient
from service.terminal.formatting import line
from service.terminal.render import campaign as campaign_face
from service.terminal.render import event as event_face
from service.terminal.render import unit as unit_face
from service.terminal.render import worker as worker_face
from service.terminal.top import details
from service.terminal.top.dialog import HELP, TextDialog
from service.terminal.top.pane import Pane
from service.terminal.top.refresher import Refresher
from service.terminal.top.snapshot import ScreenSnapshot, look
from service.terminal.top.status_bar import KEYS, PANES, strip, tabs

STATES = (None, "running", "ready", "delayed", "parked", "blocked", "quarantined", "skipped", "cancelled", "done")
SECOND_S, SAID_S = 1.0, 6.0


class EnginePane(VerticalScroll):
    """The engine, its quotas and the recovery plans."""

    BINDINGS: ClassVar[list[BindingType]] = [("j", "scroll_down", "Down"), ("k", "scroll_up", "Up")]


class Panes:
    """The five panes that are lists."""

    def __init__(self) -> None:
        self.campaigns = Pane[ApiCampaign]("campaigns", campaign_face.LIVE, campaign_face.NARROW, lambda campaign: campaign.name)
        self.units = Pane[ApiUnitRow]("units", unit_face.LIVE, unit_face.NARROW, lambda unit: unit.key)
        self.workers = Pane[ApiWorker]("workers", worker_face.LIST, worker_face.LIST, lambda worker: worker.worker)
        self.quarantine = Pane[ApiQuarantinedUnit](
            "quarantine", unit_face.QUARANTINE, unit_face.NARROW_QUARANTINE, lambda unit: f"{unit.campaign}/{unit.key}"
        )
        self.events = Pane[ApiEvent]("events", event_face.LIVE, event_face.NARROW, lambda event: str(event.position), newest=True)


class Viewer(App[None]):
    """An application that shows one service and changes nothing of it."""

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
        self.watch_log = Refresher(service, self.look)
        self.away: str | None = None
        self.state: str | None = None
        self.hush: Timer | None = None
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
        """Begin to watch."""
        self.draw_keys()
        self.panes.campaigns.focus()
        self.set_interval(SECOND_S, self.draw_lines)
        self.run_worker(self.watch_log.run())

    async def look(self) -> None:
        """Read what is on the screen and show it; without an answer, what was known stays."""
        chosen = None if self.campaign is None else self.campaign.name
        try:
            self.snapshot = await look(self.service, self.pane, chosen, self.state)
            self.away = None
        except AwayError as error:
            self.away = line(str(error))
        except RefusedError as error:
            self.away = line(error.problem.explanation)
        self.draw()

    def look_soon(self) -> None:
        """Look again, without waiting for the turn."""
        self.watch_log.wake()

    def draw(self) -> None:
        """Show what is known."""
        snapshot = self.snapshot
        self.draw_lines()
        if snapshot is None:
            return
        self.panes.campaigns.fill(snapshot.campaigns)
        match self.pane:
            case "units":
                self.panes.units.fill(snapshot.units)
            case "workers":
                self.panes.workers.fill(sorted(snapshot.workers, key=worker_face.worst_first))
            case "quarantine":
                self.panes.quarantine.fill(snapshot.quarantine)
            case "events":
                self.panes.events.fill(list(reversed(self.watch_log.events))[:200])
            case "engine":
                stream = "live" if self.watch_log.heard else "away, asking in turns"
                self.engine_text.update(Text(details.engine(snapshot.engine, snapshot.plans, stream)))
            case _:
                pass

    def draw_lines(self) -> None:
        """Show the lines around the panes."""
        engine = None if self.snapshot is None else self.snapshot.engine
        self.lines["strip"].update(strip(engine, self.away, heard=self.watch_log.heard))
        self.lines["tabs"].update(tabs(self.snapshot, self.pane))
        self.lines["subject"].update(Text(self.subject(), style="italic", no_wrap=True, overflow="ellipsis"))

    def draw_keys(self) -> None:
        """Show the keys."""
        self.lines["keys"].update(Text(KEYS, no_wrap=True, overflow="ellipsis"))

    def say(self, sentence: str, *, wrong: bool = False) -> None:
        """Show a sentence for a while."""
        style = "bold white on red" if wrong else "bold"
        self.lines["keys"].update(Text(f" {sentence} ", style=style, no_wrap=True, overflow="ellipsis"))
        if self.hush is not None:
            self.hush.stop()
        self.hush = self.set_timer(SAID_S, self.draw_keys)

    def carry_out(self, work: Coroutine[Any, Any, str | None]) -> None:
        """Do *work* beside everything else, and show its sentence or why there is none."""

        async def done() -> None:
            try:
                said = await work
            except RefusedError as error:
                self.say(line(error.problem.explanation), wrong=True)
            except (AwayError, OSError) as error:
                self.say(line(str(error)), wrong=True)
            else:
                if said is not None:
                    self.say(said)
            self.look_soon()

        self.run_worker(done())

    def subject(self) -> str:
        """Return what the pane is about."""
        name = "no campaign" if self.campaign is None else line(self.campaign.name)
        match self.pane:
            case "units":
                return f" {name}: {self.state or 'open'} units; s shows the next state"
            case "campaigns" if (campaign := self.campaign) is not None:
                title = f" · {line(campaign.title)}" if campaign.title and campaign.title != campaign.name else ""
                return f" {name}: {campaign_face.counts(campaign) or 'no units'}{title}"
            case "quarantine" if (unit := self.panes.quarantine.chosen) is not None:
                return f" {line(unit.campaign)}: {line(unit.error)}"
            case "events":
                return " newest first, without heartbeats"
            case _:
                return ""

    @property
    def pane(self) -> str:
        """The pane that is seen."""
        return self.switcher.current or "campaigns"

    @property
    def campaign(self) -> ApiCampaign | None:
        """The campaign that is chosen."""
        if self.pane == "quarantine" and (unit := self.panes.quarantine.chosen) is not None and self.snapshot is not None:
            return self.snapshot.campaign(unit.campaign)
        return self.panes.campaigns.chosen

    @property
    def unit(self) -> ApiUnitRow | ApiQuarantinedUnit | None:
        """The unit that is chosen."""
        return {"units": self.panes.units.chosen, "quarantine": self.panes.quarantine.chosen}.get(self.pane)

    def action_pane(self, name: str) -> None:
        """Show a pane."""
        self.switcher.current = name
        self.switcher.get_child_by_id(name).focus()
        self.draw()
        self.look_soon()

    def action_state(self) -> None:
        """Show the units of the next state."""
        self.state = STATES[(STATES.index(self.state) + 1) % len(STATES)]
        self.action_pane("units")

    def action_help(self) -> None:
        """Show the keys."""
        self.push_screen(TextDialog("muster top", HELP))

    def on_data_table_row_highlighted(self) -> None:
        """Say what the cursor is on now."""
        self.draw_lines()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Open what the cursor is on."""
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
            self.push_screen(TextDialog(line(unit.key), await details.unit(self.service, campaign.name, unit.key)))
        elif isinstance(chosen, ApiWorker):
            self.push_screen(TextDialog(line(chosen.worker), details.worker(chosen)))
        elif isinstance(chosen, ApiEvent):
            self.push_screen(TextDialog(chosen.kind, details.event(chosen)))
        return None
