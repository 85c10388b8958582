"""Waves: the topological levels of a campaign's units, how many are in which state, and when each wave began and ended."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from msgspec import Struct, field

from projections.views.measurement import Measured, Measurement, between
from projections.views.unit.transitions import TRANSITIONS, Transition
from service.domain import events as e
from service.domain import ids
from service.domain.campaign import Counts

FIRST = 1
MAX_CACHED_CARDS = 20_000
MAX_CACHED_UNITS = 500_000

WaveId = tuple[ids.CampaignName, int]
WaveCount = Callable[[ids.CampaignName], int]
"""Returns how many waves a campaign has."""


class WaveCard(Struct, kw_only=True):
    """One wave; *started_at* is its first claim, *last_ended_at* when a unit of it last ended."""

    campaign: ids.CampaignName
    wave: int
    units: Counts = field(default_factory=Counts)
    started_at: datetime | None = None
    # Cards are stored as JSON: `name` is what the field is called in databases of today.
    last_ended_at: datetime | None = field(default=None, name="rested_at")

    @property
    def ended_at(self) -> datetime | None:
        """When its last unit ended, None while one is open."""
        return None if self.units.open else self.last_ended_at

    @property
    def outcome(self) -> Measured:
        """How it ended: with all units done, with some, or with none."""
        return "complete" if self.units.done == self.units.total else "partial" if self.units.done else "failed"


class Waves:
    """The waves in memory: their cards, and the wave of each unit.

    Before a page is folded, what `units_to_load` and then `waves_to_load` name is loaded, if it is stored. A unit that is not in
    *wave_of* is in the first wave. *measurements* are the widths of waves that began and the durations of waves that ended.
    """

    def __init__(self) -> None:
        self.cards: dict[WaveId, WaveCard] = {}
        self.wave_of: dict[ids.UnitId, int] = {}
        self.touched: set[WaveId] = set()
        self.measurements: list[Measurement] = []
        self.unsaved_units: list[tuple[ids.CampaignName, ids.UnitKey, int]] = []

    def units_to_load(self, events: Sequence[e.Recorded], wave_count: WaveCount) -> set[ids.UnitId]:
        """Return the units of campaigns with several waves that *events* name, do not add, and whose wave is not in memory."""
        layered = {name for name in {event.campaign for event in events} if name is not None and wave_count(name) > FIRST}
        if not layered:
            return set()
        missing = {unit for event in events if event.campaign in layered for unit in units_with_wave(event)} - self.wave_of.keys()
        return missing - {unit for event in events for unit in added_units(event)} if missing else missing

    def assign(self, campaign: ids.CampaignName, units: Sequence[e.NewUnit]) -> None:
        """Give the units of an import their waves, once; the waves of what they depend on are in memory."""
        if all((campaign, unit.key) in self.wave_of for unit in units if unit.depends_on):
            return
        for key, wave in levels(units, lambda key: self.wave_of.get((campaign, key), FIRST)).items():
            if wave > FIRST:
                self.wave_of[campaign, key] = wave
                self.unsaved_units.append((campaign, key, wave))

    def waves_to_load(self, events: Iterable[e.Recorded], wave_count: WaveCount) -> set[WaveId]:
        """Return the waves that *events* change, that may be stored, and that are not in memory."""
        changed: set[WaveId] = set()
        for event in events:
            kind, campaign = type(event.body), event.campaign
            if campaign is None:
                continue
            if kind is e.UnitsAdded:
                changed.update((campaign, wave) for wave in self.waves_of_import(event))
            elif kind in TRANSITIONS and event.unit is not None:
                changed.add((campaign, self.wave_of.get((campaign, event.unit), FIRST)))
        return {(campaign, wave) for campaign, wave in changed - self.cards.keys() if wave <= wave_count(campaign)}

    def waves_of_import(self, event: e.Recorded) -> set[int]:
        """Return the waves of the units that *event* adds."""
        body, campaign = event.body, event.campaign
        if not isinstance(body, e.UnitsAdded) or campaign is None:
            return set()
        self.assign(campaign, body.units)
        return {self.wave_of.get((campaign, unit.key), FIRST) for unit in body.units}

    def fold(self, event: e.Recorded, transition: Transition | None) -> int:
        """Count the units that *event* adds, or its *transition*; return by how many waves the number of open ones changed."""
        assert event.campaign is not None, "the envelope of a unit's event names the campaign"
        body = event.body
        if transition is not None and event.unit is not None:
            wave = self.wave_of.get((event.campaign, event.unit), FIRST)
            return self._move(self.card(event.campaign, wave), transition, event)
        return self._join(event.campaign, body.units) if isinstance(body, e.UnitsAdded) else 0

    def _move(self, card: WaveCard, transition: Transition, event: e.Recorded) -> int:
        old, new = transition
        units = card.units
        units.move(old, new)
        if new in ids.OPEN_STATES:
            if new == "running" and card.started_at is None:
                card.started_at = event.at
                self.measurements.append(Measurement("wave", units.total, event))
            return int(old not in ids.OPEN_STATES and units.open == 1)
        card.last_ended_at = event.at
        if old not in ids.OPEN_STATES or units.open:
            return 0
        if card.started_at is not None:
            self.measurements.append(Measurement(card.outcome, between(card.started_at, event.at), event))
        return -1

    def _join(self, campaign: ids.CampaignName, units: Sequence[e.NewUnit]) -> int:
        self.assign(campaign, units)
        opened = 0
        joining = Counter((self.wave_of.get((campaign, unit.key), FIRST), unit.waits_for > 0) for unit in units)
        for (wave, blocked), count in joining.items():
            counts = self.card(campaign, wave).units
            opened += counts.open == 0
            if blocked:
                counts.blocked += count
            else:
                counts.ready += count
        return opened

    def card(self, campaign: ids.CampaignName, wave: int) -> WaveCard:
        """Return the card of a wave that is about to change."""
        key = campaign, wave
        card = self.cards.get(key)
        if card is None:
            card = self.cards[key] = WaveCard(campaign=campaign, wave=wave)
        self.touched.add(key)
        return card

    def saved(self) -> None:
        """Forget what was touched; when much is in memory, drop all of it."""
        self.touched.clear()
        self.unsaved_units.clear()
        if len(self.cards) > MAX_CACHED_CARDS:
            self.cards.clear()
        if len(self.wave_of) > MAX_CACHED_UNITS:
            self.wave_of.clear()


def added_units(event: e.Recorded) -> Iterable[ids.UnitId]:
    """Yield the units that *event* adds."""
    if isinstance(event.body, e.UnitsAdded) and event.campaign is not None:
        yield from ((event.campaign, unit.key) for unit in event.body.units)


def units_with_wave(event: e.Recorded) -> Iterable[ids.UnitId]:
    """Yield the units whose wave the fold of *event* needs."""
    if event.campaign is None:
        return
    if isinstance(event.body, e.UnitsAdded):
        yield from ((event.campaign, parent) for unit in event.body.units for parent in unit.depends_on)
    elif event.unit is not None and type(event.body) in TRANSITIONS:
        yield event.campaign, event.unit


def levels(units: Sequence[e.NewUnit], wave_of: Callable[[ids.UnitKey], int]) -> dict[ids.UnitKey, int]:
    """Return the wave of each of *units*, one after the last of what it depends on; *wave_of* returns that of earlier units.

    >>> diamond = {"d": ("b", "c"), "b": ("a",), "c": ("a",), "a": ()}
    >>> levels([e.NewUnit(key=key, depends_on=parents) for key, parents in diamond.items()], lambda _: 1)
    {'a': 1, 'c': 2, 'b': 2, 'd': 3}
    """
    parents = {unit.key: unit.depends_on for unit in units}
    # Depth first with a stack of our own: chains of dependencies are longer than Python may recurse.
    wave_by_key: dict[ids.UnitKey, int] = {}
    for key in parents:
        stack = [key]
        while stack:
            last = stack[-1]
            unknown = [parent for parent in parents[last] if parent in parents and parent not in wave_by_key]
            if unknown:
                stack += unknown
                continue
            stack.pop()
            wave_by_key[last] = 1 + max(
                (wave_by_key[one] if one in parents else wave_of(one) for one in parents[last]), default=0
            )
    return wave_by_key
