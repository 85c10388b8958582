"""All cards of one shard, and the fold that takes each event to the cards that it changes."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct, field

from projections.views import engine
from projections.views.campaign import card as campaign_card
from projections.views.campaign import failure_groups
from projections.views.campaign.card import CampaignCard
from projections.views.campaign.time_account import Cause, cause_of_waiting
from projections.views.engine import EngineCard
from projections.views.measurement import MICROSECOND, Measured, Measurement, between, microseconds
from projections.views.quota import card as quota_card
from projections.views.quota.card import QuotaCard
from projections.views.time_accounts import active_clock
from projections.views.time_accounts.accounts import TimeAccounts, campaigns_concerned
from projections.views.time_accounts.snapshot import EVERY
from projections.views.unit import quarantine
from projections.views.unit.quarantine import QuarantineCard
from projections.views.unit.transitions import TRANSITIONS, Transition, TransitionOf
from projections.views.wave.card import Waves
from projections.views.worker import card as worker_card
from projections.views.worker.card import WorkerCard
from service.domain import events as e
from service.domain import ids


class TouchedCards(Struct):
    """Keys of the cards that changed since they were saved; *cleared* are the units that left the quarantine."""

    campaigns: set[ids.CampaignName] = field(default_factory=set)
    workers: set[ids.WorkerId] = field(default_factory=set)
    quotas: set[ids.QuotaKey] = field(default_factory=set)
    cleared: set[ids.UnitId] = field(default_factory=set)
    engine: bool = False


class ReadModels:
    """The cards of one shard in memory, and the *measurements* that their fold made.

    Of the quarantine and of the waves, only what the next events need is in memory: see `units_to_load` and `Waves`.
    """

    def __init__(self) -> None:
        self.engine = EngineCard()
        self.campaigns: dict[ids.CampaignName, CampaignCard] = {}
        self.workers: dict[ids.WorkerId, WorkerCard] = {}
        self.quotas: dict[ids.QuotaKey, QuotaCard] = {}
        self.quarantine: dict[ids.UnitId, QuarantineCard] = {}
        self.waves = Waves()
        self.time_accounts = TimeAccounts()
        self.touched = TouchedCards()
        self.measurements: list[Measurement] = []
        self.last_event_at: datetime | None = None

    def units_to_load(self, events: Iterable[e.Recorded]) -> set[ids.UnitId]:
        """Return the quarantined units that *events* take out of quarantine and whose cards are not in memory."""
        return {
            (event.campaign, event.unit)
            for event in events
            if type(event.body) in LEAVING and quarantine.leaves(event) and event.campaign is not None and event.unit is not None
        } - self.quarantine.keys()

    def wave_count(self, name: ids.CampaignName) -> int:
        """Return how many waves a campaign has, 1 for one that is not folded yet."""
        card = self.campaigns.get(name)
        return 1 if card is None else card.waves

    def fold(self, event: e.Recorded) -> None:
        """Fold one event into every card that it changes."""
        dispatch = DISPATCH[type(event.body)]
        if dispatch.campaign is not None and event.campaign is not None:
            self._campaign(dispatch, dispatch.campaign, event)
        if dispatch.worker is not None and event.worker is not None:
            card = self.workers.get(event.worker)
            if card is None:
                card = self.workers[event.worker] = worker_card.first_card(event)
            elif dispatch.heartbeat and card.last_heartbeat_at != event.at:
                self.measurements.append(Measurement("beat", between(card.last_heartbeat_at, event.at), event))
            dispatch.worker(card, event.body, event)
            self.touched.workers.add(event.worker)
        if dispatch.rare:
            self._rare(event)
        self.last_event_at = event.at

    def advance(self, card: CampaignCard, at: datetime) -> None:
        """Book the time of a campaign up to *at*."""
        self.time_accounts.advance(card, at, self._waiting(card))

    # The order matters: time is booked before the event changes the counts, the clock is set once they are changed, and a wave
    # takes its event before the card counts how many of them are open.
    def _campaign(self, dispatch: "Dispatch", change: campaign_card.Change, event: e.Recorded) -> None:
        assert event.campaign is not None
        card, body = self.campaigns[event.campaign], event.body
        running = card.counts.running
        transition = None if dispatch.transition is None else dispatch.transition(body)
        self._book_time(card, event, transition)
        if type(body) is e.UnitSkipped:
            card.cascade += 1
        elif card.cascade:
            self.measurements.append(Measurement("cascade", card.cascade, event))
            card.cascade = 0
        change(card, body, event)
        if transition is not None:
            card.move(*transition, event.at)
        # While a unit runs the clock runs, whatever holds back the others: not asking is a tenth of the fold's time.
        active_clock.update_clock(card, event.at, None if card.counts.running else self._waiting(card))
        card.position = event.position
        if event.unit is not None or type(body) in IMPORTS:
            card.waves_left += self.waves.fold(event, transition)
            if self.waves.measurements:
                self._take_wave_measurements(card)
            if event.unit is None:
                card.waves = max(card.waves, *self.waves.waves_of_import(event), 1)
        else:
            card.note_decision(event.position)
        self.touched.campaigns.add(event.campaign)
        if card.counts.running != running:
            self.engine.in_use += card.counts.running - running
            self.touched.engine = True

    def _waiting(self, card: CampaignCard) -> Cause | None:
        """Return what holds back every ready unit of a campaign now."""
        quota = self.quotas.get(card.quota) if card.quota is not None else None
        return cause_of_waiting(
            engine_paused=self.engine.paused_at is not None,
            paused=card.paused_at is not None,
            auto=card.auto,
            tripped=card.tripped is not None,
            gate_closed=quota is not None and quota.reason is not None,
        )

    def _book_time(self, card: CampaignCard, event: e.Recorded, transition: Transition | None) -> None:
        """Fold an event into the time account of its campaign, after a snapshot of the account if one is due."""
        card.time_account.since_snapshot += 1
        if card.time_account.since_snapshot > EVERY:
            self._add_snapshot(card, event.position - 1)
        waiting = self._waiting(card) if card.counts.ready else None
        worker = None
        if type(event.body) is e.UnitReleased and event.worker is not None:
            worker = self.workers.get(event.worker)
        self.time_accounts.fold(card, event, transition, waiting, worker)

    def _add_snapshot(self, card: CampaignCard, position: int) -> None:
        closed = sorted(key for key, quota in self.quotas.items() if quota.reason is not None)
        self.time_accounts.add_snapshot(card, position, closed, engine_paused=self.engine.paused_at is not None)

    def _take_wave_measurements(self, card: CampaignCard) -> None:
        """Take over what the waves measured; a wave that begins becomes the campaign's last one."""
        for measurement in self.waves.measurements:
            if measurement.measured == "wave" and measurement.event.unit is not None:
                card.wave = max(card.wave, self.waves.wave_of.get((card.name, measurement.event.unit), 1))
        self.measurements += self.waves.measurements
        self.waves.measurements.clear()

    # Long, but a flat list of the kinds of events that are too seldom to deserve an entry in `DISPATCH` each.
    def _rare(self, event: e.Recorded) -> None:
        """Fold the rare events: new campaigns, and what concerns the engine, quotas and the quarantine."""
        body = event.body
        concerned = campaigns_concerned(event, self.campaigns.values())
        for card in concerned:
            self.advance(card, event.at)
        if isinstance(body, e.CampaignCreated):
            self._open_campaign(body, event)
        elif isinstance(body, e.CampaignEdited):
            self._touch_quota(self.campaigns[event.campaign].quota if event.campaign is not None else None)
        elif isinstance(body, e.UnitQuarantined):
            quarantined = quarantine.quarantined(body, event)
            failure_groups.join(self.campaigns[quarantined.campaign].failures, quarantined)
            self.quarantine[quarantined.campaign, quarantined.key] = quarantined
            self.touched.cleared.discard((quarantined.campaign, quarantined.key))
        elif quarantine.leaves(event):
            self._clear(event)
        elif type(body) in engine.FOLDS:
            if isinstance(body, e.LeaderElected):
                self._exclude_outage(event.at)
            engine.FOLDS[type(body)](self.engine, body, event)
            self.touched.engine = True
        elif type(body) in quota_card.FOLDS:
            key: ids.QuotaKey = body.key  # type: ignore[attr-defined]  # every event of a quota names it
            self._touch_quota(key)
            quota_card.FOLDS[type(body)](self.quotas[key], body, event)
        for card in concerned:
            active_clock.update_clock(card, event.at, self._waiting(card))
            self.touched.campaigns.add(card.name)

    def _open_campaign(self, body: e.CampaignCreated, event: e.Recorded) -> None:
        card = self.campaigns[body.name] = campaign_card.opened(body, event)
        self.touched.campaigns.add(body.name)
        self._touch_quota(body.quota)
        card.time_account.at_us = microseconds(event.at)
        self._add_snapshot(card, event.position)

    def _exclude_outage(self, at: datetime) -> None:
        """Stop every campaign's clock for the silence before a new leader, if it was long: the service was down."""
        silence = at - (self.last_event_at or at)
        for card in self.campaigns.values() if silence > OUTAGE else ():
            card.throughput.exclude_outage(silence // MICROSECOND)
            self.touched.campaigns.add(card.name)

    def _touch_quota(self, key: ids.QuotaKey | None) -> None:
        """Create the card of a quota that is named for the first time: its gate is open."""
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
        self.measurements.append(Measurement(CLEARED[type(event.body)], between(card.quarantined_at, event.at), event))

    def saved(self) -> None:
        """Forget which cards were touched, and drop the quarantine: its table has it now."""
        self.touched = TouchedCards()
        self.quarantine.clear()
        self.waves.saved()
        self.time_accounts.saved()


OUTAGE = timedelta(minutes=1)
"""A silence before a new leader that counts as an outage: without one, the leader's own sweeps record events more often."""
IMPORTS = (e.UnitsAdded, e.UnitsUpdated)
LEAVING = (e.QuarantineCleared, e.UnitCancelled)
CLEARED: dict[type[e.Event], Measured] = {e.QuarantineCleared: "retried", e.UnitCancelled: "discarded"}
HEARTBEATS = (e.UnitHeartbeat, e.WorkerHeartbeat)
RARE = {e.CampaignCreated, e.CampaignEdited, e.UnitQuarantined, *LEAVING, *engine.FOLDS, *quota_card.FOLDS}


class Dispatch(Struct, frozen=True):
    """Which folds take a kind of event, looked up once per kind."""

    campaign: campaign_card.Change | None
    transition: TransitionOf | None
    worker: worker_card.Change | None
    rare: bool
    heartbeat: bool


DISPATCH: dict[type[e.Event], Dispatch] = {
    kind: Dispatch(
        campaign_card.FOLDS.get(kind), TRANSITIONS.get(kind), worker_card.FOLDS.get(kind), kind in RARE, kind in HEARTBEATS
    )
    for kind in e.EVENTS
}
