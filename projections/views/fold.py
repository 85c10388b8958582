"""All cards of one shard, and the one fold that brings an event to each of them."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct, field

from projections.views import engine
from projections.views.campaign import card as campaign_card
from projections.views.campaign import failure_groups
from projections.views.campaign.card import CampaignCard
from projections.views.engine import EngineCard
from projections.views.measurement import MICROSECOND, Measured, Measurement, between
from projections.views.quota import card as quota_card
from projections.views.quota.card import QuotaCard
from projections.views.time_accounts import active_clock
from projections.views.time_accounts.accounts import TimeAccounts
from projections.views.unit import quarantine
from projections.views.unit.quarantine import QuarantineCard
from projections.views.unit.transitions import TRANSITIONS, TransitionOf
from projections.views.wave.card import Waves
from projections.views.worker import card as worker_card
from projections.views.worker.card import WorkerCard
from service.domain import events as e
from service.domain import ids

UnitId = tuple[ids.CampaignName, ids.UnitKey]


class TouchedCards(Struct):
    """Keys of the cards that a fold has changed since they were saved; *cleared* left the quarantine."""

    campaigns: set[ids.CampaignName] = field(default_factory=set)
    workers: set[ids.WorkerId] = field(default_factory=set)
    quotas: set[ids.QuotaKey] = field(default_factory=set)
    cleared: set[UnitId] = field(default_factory=set)
    engine: bool = False


class ReadModels:
    """The cards in memory, and what they measured in *spans*. Of the quarantine only what the next events need, see `wanted`."""

    def __init__(self) -> None:
        self.engine = EngineCard()
        self.campaigns: dict[ids.CampaignName, CampaignCard] = {}
        self.workers: dict[ids.WorkerId, WorkerCard] = {}
        self.quotas: dict[ids.QuotaKey, QuotaCard] = {}
        self.quarantine: dict[UnitId, QuarantineCard] = {}
        self.waves = Waves()
        self.ledgers = TimeAccounts()
        self.touched = TouchedCards()
        self.spans: list[Measurement] = []
        self.heard_at: datetime | None = None

    def units_to_load(self, events: Iterable[e.Recorded]) -> set[UnitId]:
        """Return the quarantined units that *events* send back and that are not in memory."""
        return {
            (event.campaign, event.unit)
            for event in events
            if type(event.body) in LEAVING and quarantine.leaves(event) and event.campaign is not None and event.unit is not None
        } - self.quarantine.keys()

    def depth(self, name: ids.CampaignName) -> int:
        """Return how many waves a campaign has, as far as it is folded."""
        card = self.campaigns.get(name)
        return 1 if card is None else card.waves

    def fold(self, event: e.Recorded) -> None:
        """Fold one event into every card that shows something of it."""
        road = DISPATCH[type(event.body)]
        if road.campaign is not None and event.campaign is not None:
            self._campaign(road, road.campaign, event)
        if road.worker is not None and event.worker is not None:
            card = self.workers.get(event.worker)
            if card is None:
                card = self.workers[event.worker] = worker_card.first_card(event)
            elif road.beat and card.last_heartbeat_at != event.at:
                self.spans.append(Measurement("beat", between(card.last_heartbeat_at, event.at), event))
            road.worker(card, event.body, event)
            self.touched.workers.add(event.worker)
        if road.rare:
            self._rare(event)
        self.heard_at = event.at

    def _campaign(self, road: "Dispatch", change: campaign_card.Change, event: e.Recorded) -> None:
        assert event.campaign is not None
        card, body = self.campaigns[event.campaign], event.body
        running = card.counts.running
        step = None if road.step is None else road.step(body)
        self.ledgers.take(card, event, step, self)
        if type(body) is e.UnitSkipped:
            card.cascade += 1
        elif card.cascade:
            self.spans.append(Measurement("cascade", card.cascade, event))
            card.cascade = 0
        change(card, body, event)
        if step is not None:
            card.move(*step, event.at)
        active_clock.keep(card, event.at, self)
        card.position = event.position
        if event.unit is not None or type(body) in IMPORTS:
            card.waves_left += self.waves.fold(event, step)
            if self.waves.spans:
                self._turn(card)
            if event.unit is None:
                card.waves = max(card.waves, *self.waves.joined(event), 1)
        else:
            card.note_decision(event.position)
        self.touched.campaigns.add(event.campaign)
        if card.counts.running != running:
            self.engine.in_use += card.counts.running - running
            self.touched.engine = True

    def _turn(self, card: CampaignCard) -> None:
        """Take over what the waves measured."""
        for span in self.waves.spans:
            if span.measured == "wave" and span.event.unit is not None:
                card.wave = max(card.wave, self.waves.places.get((card.name, span.event.unit), 1))
        self.spans += self.waves.spans
        self.waves.spans.clear()

    def _rare(self, event: e.Recorded) -> None:
        """Fold what happens seldom: beginnings, the engine, quotas, the quarantine."""
        body = event.body
        concerned = self.ledgers.turn(event, self)
        if isinstance(body, e.CampaignCreated):
            opened = self.campaigns[body.name] = campaign_card.opened(body, event)
            self.touched.campaigns.add(body.name)
            self._quota(body.quota)
            self.ledgers.begin(opened, event, self)
        elif isinstance(body, e.CampaignEdited):
            self._quota(self.campaigns[event.campaign].quota if event.campaign is not None else None)
        elif isinstance(body, e.UnitQuarantined):
            card = quarantine.quarantined(body, event)
            failure_groups.join(self.campaigns[card.campaign].failures, card)
            self.quarantine[card.campaign, card.key] = card
            self.touched.cleared.discard((card.campaign, card.key))
        elif quarantine.leaves(event):
            self._clear(event)
        elif type(body) in engine.FOLDS:
            if isinstance(body, e.LeaderElected):
                self._leave_out(event.at)
            engine.FOLDS[type(body)](self.engine, body, event)
            self.touched.engine = True
        elif type(body) in quota_card.FOLDS:
            key: ids.QuotaKey = body.key  # type: ignore[attr-defined]  # every event of a quota names it
            self._quota(key)
            quota_card.FOLDS[type(body)](self.quotas[key], body, event)
        for held in concerned:
            active_clock.keep(held, event.at, self)
            self.touched.campaigns.add(held.name)

    def _leave_out(self, at: datetime) -> None:
        """Let no campaign's clock run through the time before a leader in which nobody was heard: the service was away."""
        silence = at - (self.heard_at or at)
        for card in self.campaigns.values() if silence > OUTAGE else ():
            card.pace.leave_out(silence // MICROSECOND)
            self.touched.campaigns.add(card.name)

    def _quota(self, key: ids.QuotaKey | None) -> None:
        """Give a quota that is named its card; an open gate until something closes it."""
        if key is not None:
            self.quotas.setdefault(key, QuotaCard(key=key))
            self.touched.quotas.add(key)

    def _clear(self, event: e.Recorded) -> None:
        assert event.campaign is not None
        assert event.unit is not None
        card = self.quarantine.pop((event.campaign, event.unit))
        campaign_card.unquarantined(self.campaigns[event.campaign], card.reason)
        failure_groups.leave(self.campaigns[event.campaign].failures, card)
        self.touched.cleared.add((event.campaign, event.unit))
        self.spans.append(Measurement(CLEARED[type(event.body)], between(card.quarantined_at, event.at), event))

    def saved(self) -> None:
        """Forget what was touched, and the quarantine: its table has it now."""
        self.touched = TouchedCards()
        self.quarantine.clear()
        self.waves.saved()
        self.ledgers.saved()


OUTAGE = timedelta(minutes=1)
IMPORTS = (e.UnitsAdded, e.UnitsUpdated)
LEAVING = (e.QuarantineCleared, e.UnitCancelled)
CLEARED: dict[type[e.Event], Measured] = {e.QuarantineCleared: "retried", e.UnitCancelled: "discarded"}
BEATS = (e.UnitHeartbeat, e.WorkerHeartbeat)
RARE = {e.CampaignCreated, e.CampaignEdited, e.UnitQuarantined, *LEAVING, *engine.FOLDS, *quota_card.FOLDS}


class Dispatch(Struct, frozen=True):
    """Where an event goes."""

    campaign: campaign_card.Change | None
    step: TransitionOf | None
    worker: worker_card.Change | None
    rare: bool
    beat: bool


DISPATCH: dict[type[e.Event], Dispatch] = {
    kind: Dispatch(campaign_card.FOLDS.get(kind), TRANSITIONS.get(kind), worker_card.FOLDS.get(kind), kind in RARE, kind in BEATS)
    for kind in e.EVENTS
}
