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
MOST_CARDS = 20_000
MOST_PLACES = 500_000

WaveId = tuple[ids.CampaignName, int]
Depth = Callable[[ids.CampaignName], int]
"""Tells how many waves a campaign has."""


class WaveCard(Struct, kw_only=True):
    """One wave; *started_at* is its first claim, *rested_at* when a unit of it last came to an end."""

    campaign: ids.CampaignName
    wave: int
    units: Counts = field(default_factory=Counts)
    started_at: datetime | None = None
    rested_at: datetime | None = None

    @property
    def ended_at(self) -> datetime | None:
        """When its last unit ended, None while one is open."""
        return None if self.units.open else self.rested_at

    @property
    def end(self) -> Measured:
        """How it ended: with every unit done, with some, or with none."""
        return "complete" if self.units.done == self.units.total else "partial" if self.units.done else "failed"


class Waves:
    """What is in memory of the waves: their cards, and in which of them units are.

    Before a page is folded, what `unplaced` and then `absent` name is brought from where it is stored, if it is there.
    A unit without a place is in the first wave. *spans* is how wide waves were that began, and how long those took that ended.
    """

    def __init__(self) -> None:
        self.cards: dict[WaveId, WaveCard] = {}
        self.places: dict[ids.UnitId, int] = {}
        self.touched: set[WaveId] = set()
        self.spans: list[Measurement] = []
        self.placed: list[tuple[ids.CampaignName, ids.UnitKey, int]] = []

    def unplaced(self, events: Sequence[e.Recorded], depth: Depth) -> set[ids.UnitId]:
        """Return the units of campaigns with several waves that *events* name, do not add, and whose place is not in memory."""
        deep = {name for name in {event.campaign for event in events} if name is not None and depth(name) > FIRST}
        if not deep:
            return set()
        missing = {unit for event in events if event.campaign in deep for unit in units_to_level(event)} - self.places.keys()
        return missing - {unit for event in events for unit in added(event)} if missing else missing

    def place(self, campaign: ids.CampaignName, units: Sequence[e.NewUnit]) -> None:
        """Give the units of an import their waves, once; the places of what they depend on are in memory."""
        if all((campaign, unit.key) in self.places for unit in units if unit.depends_on):
            return
        for key, wave in levels(units, lambda key: self.places.get((campaign, key), FIRST)).items():
            if wave > FIRST:
                self.places[campaign, key] = wave
                self.placed.append((campaign, key, wave))

    def absent(self, events: Iterable[e.Recorded], depth: Depth) -> set[WaveId]:
        """Return the waves that *events* change, that may be stored, and that are not in memory."""
        changed: set[WaveId] = set()
        for event in events:
            kind, campaign = type(event.body), event.campaign
            if campaign is None:
                continue
            if kind is e.UnitsAdded:
                changed.update((campaign, wave) for wave in self.joined(event))
            elif kind in TRANSITIONS and event.unit is not None:
                changed.add((campaign, self.places.get((campaign, event.unit), FIRST)))
        return {(campaign, wave) for campaign, wave in changed - self.cards.keys() if wave <= depth(campaign)}

    def joined(self, event: e.Recorded) -> set[int]:
        """Return the waves of the units that *event* adds, once they have their places."""
        body, campaign = event.body, event.campaign
        if not isinstance(body, e.UnitsAdded) or campaign is None:
            return set()
        self.place(campaign, body.units)
        return {self.places.get((campaign, unit.key), FIRST) for unit in body.units}

    def fold(self, event: e.Recorded, step: Transition | None) -> int:
        """Count what *event* adds, or the *step* that it is; return how many waves more have open units."""
        assert event.campaign is not None, "the envelope of a unit's event names the campaign"
        body = event.body
        if step is not None and event.unit is not None:
            wave = self.places.get((event.campaign, event.unit), FIRST)
            return self._move(self.card(event.campaign, wave), step, event)
        return self._join(event.campaign, body.units) if isinstance(body, e.UnitsAdded) else 0

    def _move(self, card: WaveCard, step: Transition, event: e.Recorded) -> int:
        old, new = step
        units = card.units
        units.move(old, new)
        if new in ids.OPEN_STATES:
            if new == "running" and card.started_at is None:
                card.started_at = event.at
                self.spans.append(Measurement("wave", units.total, event))
            return int(old not in ids.OPEN_STATES and units.open == 1)
        card.rested_at = event.at
        if old not in ids.OPEN_STATES or units.open:
            return 0
        if card.started_at is not None:
            self.spans.append(Measurement(card.end, between(card.started_at, event.at), event))
        return -1

    def _join(self, campaign: ids.CampaignName, units: Sequence[e.NewUnit]) -> int:
        self.place(campaign, units)
        more = 0
        joining = Counter((self.places.get((campaign, unit.key), FIRST), unit.waits_for > 0) for unit in units)
        for (wave, blocked), count in joining.items():
            counts = self.card(campaign, wave).units
            more += counts.open == 0
            if blocked:
                counts.blocked += count
            else:
                counts.ready += count
        return more

    def card(self, campaign: ids.CampaignName, wave: int) -> WaveCard:
        """Return the card of a wave, to change it."""
        key = campaign, wave
        card = self.cards.get(key)
        if card is None:
            card = self.cards[key] = WaveCard(campaign=campaign, wave=wave)
        self.touched.add(key)
        return card

    def saved(self) -> None:
        """Forget what was touched; when much is in memory, forget all of it."""
        self.touched.clear()
        self.placed.clear()
        if len(self.cards) > MOST_CARDS:
            self.cards.clear()
        if len(self.places) > MOST_PLACES:
            self.places.clear()


def added(event: e.Recorded) -> Iterable[ids.UnitId]:
    """Yield the units that *event* adds."""
    if isinstance(event.body, e.UnitsAdded) and event.campaign is not None:
        yield from ((event.campaign, unit.key) for unit in event.body.units)


def units_to_level(event: e.Recorded) -> Iterable[ids.UnitId]:
    """Yield the units whose place the fold of *event* asks for."""
    if event.campaign is None:
        return
    if isinstance(event.body, e.UnitsAdded):
        yield from ((event.campaign, parent) for unit in event.body.units for parent in unit.depends_on)
    elif event.unit is not None and type(event.body) in TRANSITIONS:
        yield event.campaign, event.unit


def levels(units: Sequence[e.NewUnit], wave_of: Callable[[ids.UnitKey], int]) -> dict[ids.UnitKey, int]:
    """Return the wave of each of *units*, one after the last of what it depends on; *wave_of* knows the earlier units.

    >>> diamond = {"d": ("b", "c"), "b": ("a",), "c": ("a",), "a": ()}
    >>> levels([e.NewUnit(key=key, depends_on=parents) for key, parents in diamond.items()], lambda _: 1)
    {'a': 1, 'c': 2, 'b': 2, 'd': 3}
    """
    parents = {unit.key: unit.depends_on for unit in units}
    found: dict[ids.UnitKey, int] = {}
    for key in parents:
        stack = [key]
        while stack:
            last = stack[-1]
            waiting = [parent for parent in parents[last] if parent in parents and parent not in found]
            if waiting:
                stack += waiting
                continue
            stack.pop()
            found[last] = 1 + max((found[one] if one in parents else wave_of(one) for one in parents[last]), default=0)
    return found
