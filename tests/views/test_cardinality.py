"""Who is shown by name: rules 2.2 of the catalogue."""

from datetime import UTC, datetime, timedelta

from projections.export.snapshot import Snapshot, rows
from projections.measures.catalogue import CATALOGUE
from projections.measures.sample import FoldLag
from projections.measures.series_store import SeriesStore
from projections.projector import ProjectionState
from projections.store import Checkpoint
from projections.views.fold import ReadModels
from service.domain import events as e
from service.domain import ids
from service.domain.policy import Policy

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
CAMPAIGNS, WORKERS = 200, 1000


class Log:
    """Events as they come, a second apart."""

    def __init__(self) -> None:
        self.fold = ProjectionState(Checkpoint(0, 1, 0), ReadModels(), SeriesStore())
        self.position = 0

    @property
    def at(self) -> datetime:
        """Now."""
        return BEGIN + timedelta(seconds=self.position)

    def add(self, *bodies: e.Event, campaign: str | None = None, unit: str | None = None, worker: str | None = None) -> None:
        """Fold some events about one subject."""
        for body in bodies:
            self.position += 1
            name = None if campaign is None else ids.CampaignName(campaign)
            key = None if unit is None else ids.UnitKey(unit)
            who = None if worker is None else ids.WorkerId(worker)
            self.fold.take([e.Recorded(self.position, self.at, body, name, key, who)])

    def begin(self, campaign: str, quota: str | None = None) -> None:
        """Create a campaign."""
        self.add(created(campaign, quota), campaign=campaign)

    def values(self, later: timedelta = timedelta()) -> dict[tuple[str, ...], float]:
        """Return every value of an exposition by family and labels."""
        depth = FoldLag(at=self.at + later, head=self.position, position=self.position, generation=1, oldest_at=None)
        found: dict[tuple[str, ...], float] = {}
        for row in rows(Snapshot.of(self.fold.cards, self.fold.series_store, depth)):
            found |= {(row.family.name, *sample.labels): sample.value for sample in row.samples}
            found |= {(family, *labels): series.value for (family, labels), series in row.series}
        return found


def created(campaign: str, quota: str | None) -> e.CampaignCreated:
    return e.CampaignCreated(
        name=ids.CampaignName(campaign), title="", policy=Policy(), labels={"project": "p"}, auto=True,
        quota=None if quota is None else ids.QuotaKey(quota), brief=None, brief_rev=1, deadline=None,
    )  # fmt: skip


def registered() -> e.WorkerRegistered:
    return e.WorkerRegistered(capacity=1, labels={"host": "h"}, version="1")


def names(values: dict[tuple[str, ...], float], family: str) -> list[str]:
    """Return the first label of every series of a family."""
    return [labels[0] for name, *labels in values if name == family]


def test_ten_thousand_campaigns_and_workers_stay_within_the_caps() -> None:
    """Rule 6: open ones first, then the most recent; what is left out is counted, and the totals hold everybody."""
    log = Log()
    for number in range(10_000):
        log.begin(f"c{number}", quota=f"q{number}")
        log.add(registered(), worker=f"w{number}")
    log.add(e.CampaignCancelled(reason=None, by="me"), campaign="c9999")
    values = log.values()
    shown = names(values, "muster_campaign_info")
    assert len(shown) == len(set(shown)) == CAMPAIGNS
    assert "c9998" in shown
    assert "c9999" not in shown
    assert len(names(values, "muster_worker_info")) == WORKERS
    assert values["muster_metrics_dropped_entities", "campaign"] == 10_000 - CAMPAIGNS
    assert values["muster_metrics_dropped_entities", "worker"] == 10_000 - WORKERS
    assert values["muster_campaigns", "running"] == 9999
    assert values["muster_workers", "healthy"] == 10_000
    assert len({labels[0] for name, *labels in values if "quota" in CATALOGUE[name].labels}) in (49, 50)
    by_name = {name for name in CATALOGUE if "campaign" in CATALOGUE[name].labels}
    assert {labels[0] for name, *labels in values if name in by_name} == set(shown)
    assert len(values) < 20_000


def test_a_campaign_leaves_a_day_after_its_end_and_what_it_counted_stays_in_the_totals() -> None:
    """Rules 4, 6."""
    log = Log()
    log.begin("c")
    log.add(e.CampaignCancelled(reason=None, by="me"), campaign="c")
    assert "c" in names(log.values(timedelta(hours=23, minutes=59)), "muster_campaign_attempts_total")
    later = log.values(timedelta(hours=24))
    assert "c" not in names(later, "muster_campaign_info") + names(later, "muster_campaign_attempts_total")
    assert later["muster_metrics_dropped_entities", "campaign"] == 0
    assert later["muster_campaigns", "cancelled"] == 1
    assert later["muster_campaign_transitions_total", "cancelled"] == 1


def test_a_worker_leaves_an_hour_after_it_went() -> None:
    """Rule 6."""
    log = Log()
    log.add(registered(), worker="w")
    log.add(e.WorkerDeregistered(capacity=1, labels={}, version="1", reason="clean"), worker="w")
    assert names(log.values(timedelta(minutes=59)), "muster_worker_info") == ["w"]
    assert names(log.values(timedelta(hours=1)), "muster_worker_info") == []


def test_the_first_increment_of_a_campaign_starts_from_a_zero_that_was_shown() -> None:
    """Rule 5."""
    log = Log()
    log.begin("c", quota="q")
    values = log.values()
    assert values["muster_campaign_units_finished_total", "c", "quarantined"] == 0
    assert values["muster_parks_total", "q"] == 0
    assert values["muster_retries_total", "exhausted"] == 0
