"""The series of one shard, kept by the fold of events."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec import Struct

from projections.measures.catalogue import FOLDED
from projections.measures.measure import SPANS, measure, parents, since, us
from projections.measures.series import Scale, Series
from projections.views.measurement import Measurement
from service.domain import events as e

__all__ = ["Key", "Series", "SeriesStore"]

Key = tuple[str, tuple[str, ...]]

SCALES = {family.name: Scale.of(family) for family in FOLDED if family.kind == "histogram"}
PARENTS = (e.CampaignCreated, e.CampaignEdited, e.QuotaRead, e.QuotaReadFailed, e.QuotaGateClosed, e.QuotaPolicyChanged)


class PageTally(Struct, gc=False):
    """Events of one page that count the same: their counters with the amount of each, and the histograms that they feed."""

    counters: list[tuple[Series, int]]
    histograms: list[tuple[Series, Scale]]
    events: list[e.Recorded]


class SeriesStore:
    """All series; *touched* are those to save."""

    def __init__(self) -> None:
        self.series: dict[Key, Series] = {}
        self.touched: set[Key] = set()

    def take(self, events: Sequence[e.Recorded]) -> None:
        """Fold a page: the same as folding each event, with those that count the same counted together."""
        tallies: dict[object, PageTally] = {}
        for event in events:
            body, kind = event.body, type(event.body)
            if kind not in ALIKE:
                self.fold(event)
                continue
            alike = ALIKE[kind]
            signature = kind if alike is None else alike(body, event)
            tally = tallies.get(signature)
            if tally is None:
                tally = tallies[signature] = self.tally(event)
            tally.events.append(event)
        for tally in tallies.values():
            close(tally)

    def tally(self, event: e.Recorded) -> PageTally:
        """Return an empty tally for *event* and those that count the same."""
        self.begin(event)
        tally = PageTally([], [], [])
        for family, labels, count, observed in measure(event):
            key = (family, labels)
            row = self.series.get(key) or self.add(key, event)
            self.touched.add(key)
            if observed is None:
                tally.counters.append((row, count))
            else:
                tally.histograms.append((row, SCALES[family]))
        return tally

    def fold(self, event: e.Recorded) -> None:
        """Add what *event* counts; series of a beginning exist at zero first."""
        self.begin(event)
        if isinstance(event.body, e.ProjectionSwapped):
            self.restart(event.body, event)
        for family, labels, count, observed in measure(event):
            key = (family, labels)
            row = self.series.get(key) or self.add(key, event)
            row.position = event.position
            if observed is None:
                row.value += count
            else:
                SCALES[family].observe(row, (observed,), (event,))
            self.touched.add(key)

    def measure(self, spans: Iterable[Measurement]) -> None:
        """Add what the cards have measured."""
        for measured, length, event in spans:
            for key in SPANS[measured]:
                row = self.series.get(key) or self.add(key, event)
                row.position = max(row.position, event.position)
                if key[0] in SCALES:
                    SCALES[key[0]].observe(row, (length,), (event,))
                else:
                    row.value += 1
                self.touched.add(key)

    def restart(self, body: e.ProjectionSwapped, event: e.Recorded) -> None:
        """Let the series that a rebuild found smaller begin with *event*: a visible, honest reset."""
        for key in {(family, labels) for family, series in body.families.items() for labels in series} & self.series.keys():
            row = self.series[key]
            row.created_at, row.position = event.at, event.position
            self.touched.add(key)

    def begin(self, event: e.Recorded) -> None:
        """Create at zero what begins with *event*: at the first of all, every series of closed labels."""
        if not self.series:
            self.create({}, event)
        if isinstance(event.body, PARENTS):
            for label, value in parents(event):
                self.create({label: value}, event)

    def create(self, fixed: dict[str, str], event: e.Recorded) -> None:
        """Create every series whose open labels *fixed* gives, at zero."""
        for family in FOLDED:
            if fixed.keys() == {label for label, values in family.labels.items() if values is None}:
                for labels in family.combinations(**fixed):
                    if (family.name, labels) not in self.series:
                        self.add((family.name, labels), event)

    def add(self, key: Key, event: e.Recorded) -> Series:
        """Create one series at zero."""
        scale = SCALES.get(key[0])
        row = self.series[key] = Series(event.at, event.position) if scale is None else scale.blank(event)
        self.touched.add(key)
        return row


def close(tally: PageTally) -> None:
    """Add what was counted together."""
    events = tally.events
    last = events[-1].position
    for row, each in tally.counters:
        row.value += each * len(events)
        row.position = max(row.position, last)
    if not tally.histograms:
        return
    observe = OBSERVED[type(events[0].body)]
    columns = zip(*(observe(event.body, event) for event in events), strict=True)
    for (row, scale), observed in zip(tally.histograms, columns, strict=True):
        scale.observe(row, observed, events)
        row.position = max(row.position, last)


ALIKE: dict[type[e.Event], Callable[[Any, e.Recorded], object] | None] = {
    e.UnitClaimed: lambda body, _event: (e.UnitClaimed, body.begins),
    e.UnitHeartbeat: None,
    e.WorkerHeartbeat: None,
    e.RetryDue: None,
    e.UnitCompleted: lambda body, event: (e.UnitCompleted, event.campaign, body.attempt, body.first_ready_at is None),
    e.AttemptFailed: lambda body, event: (e.AttemptFailed, event.campaign, body.reason),
    e.RetryScheduled: lambda body, _event: (e.RetryScheduled, body.after_attempt > 1),
}
"""The frequent events, and what tells those apart that do not count the same; None where all do."""


def completed(body: e.UnitCompleted, event: e.Recorded) -> tuple[int, ...]:
    """Return what histograms observe of a unit that is done: twice its attempt, all its time if that is known, its retries."""
    attempt, retries = us(body.duration), body.attempt - 1
    first_ready_at = body.first_ready_at
    return (attempt, attempt, retries) if first_ready_at is None else (attempt, attempt, since(first_ready_at, event), retries)


OBSERVED: dict[type[e.Event], Callable[[Any, e.Recorded], tuple[int, ...]]] = {
    e.UnitClaimed: lambda body, _event: (us(body.waited),),
    e.UnitCompleted: completed,
    e.AttemptFailed: lambda body, _event: (us(body.duration),) * 2,
    e.RetryScheduled: lambda body, _event: (body.delay_ms * 1000,),
}
"""What the histograms of the frequent events observe, in the order of their measure."""
