"""The series of one shard, kept by the fold of events."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from projections.measures.catalogue import FOLDED
from projections.measures.event_measures import Increments, Key
from projections.measures.measure import MEASUREMENTS, kind_key, label_values_of, measure
from projections.measures.series import Scale, Series
from projections.views.measurement import Measurement
from service.domain import events as e

__all__ = ["Key", "Series", "SeriesStore"]

SCALES = {family.name: Scale.of(family) for family in FOLDED if family.kind == "histogram"}


class PageTally(Struct, gc=False):
    """Events of one page that increment the same counters: these *rows*, by how much, and how often."""

    increments: Increments
    rows: list[tuple[Series, int]]
    events: int = 0
    last: int = 0

    def close(self) -> None:
        """Add what was tallied to the series."""
        for row, each in self.rows:
            row.value += each * self.events
            row.position = max(row.position, self.last)


class SeriesStore:
    """All series; *touched* are those to save."""

    def __init__(self) -> None:
        self.series: dict[Key, Series] = {}
        self.touched: set[Key] = set()

    def fold(self, events: Sequence[e.Recorded]) -> None:
        """Fold a page; the result is the same for any cut of the log into pages."""
        # Most events of a page, heartbeats above all, increment the same counters equally. They are recognised by the identity of
        # their increments (see `EventMeasures`), which is cheaper than comparing or adding them; the tally keeps it alive.
        tallies: dict[tuple[type[e.Event], int], PageTally] = {}
        observed: dict[Key, list[tuple[int, e.Recorded]]] = {}
        for event in events:
            kind = type(event.body)
            if kind in BEGINNINGS or not self.series:
                self.begin(event)
            increments, observations = measure(event)
            tally = tallies.get((kind, id(increments)))
            if tally is None:
                tally = tallies[kind, id(increments)] = self._tally(increments, event)
            tally.events += 1
            tally.last = event.position
            for key, value in observations:
                pairs = observed.get(key)
                if pairs is None:
                    pairs = observed[key] = []
                    self._row(key, event)
                pairs.append((value, event))
        for tally in tallies.values():
            tally.close()
        for key, pairs in observed.items():
            self._observe(key, pairs)

    def _observe(self, key: Key, pairs: Sequence[tuple[int, e.Recorded]]) -> None:
        """Add what a histogram observed of some events, in the order of the log."""
        row = self.series[key]
        values, events = zip(*pairs, strict=True)
        SCALES[key[0]].observe(row, values, events)
        row.position = max(row.position, events[-1].position)

    def _tally(self, increments: Increments, event: e.Recorded) -> PageTally:
        """Return an empty tally for *event* and those that count the same."""
        keys = ((kind_key(type(event.body)), 1), *increments)
        return PageTally(increments, [(self._row(key, event), each) for key, each in keys])

    def _row(self, key: Key, event: e.Recorded) -> Series:
        """Return a series that *event* changes."""
        self.touched.add(key)
        return self.series.get(key) or self.add(key, event)

    def measure(self, measurements: Iterable[Measurement]) -> None:
        """Add what the cards have measured."""
        for measured, length, event in measurements:
            for key in MEASUREMENTS[measured]:
                row = self._row(key, event)
                if key[0] in SCALES:
                    self._observe(key, [(length, event)])
                else:
                    row.value += 1
                    row.position = max(row.position, event.position)

    def begin(self, event: e.Recorded) -> None:
        """Create at zero the series that begin with *event*: with the first of all, every series of closed labels."""
        if not self.series:
            self.create({}, event)
        for label, value in label_values_of(event):
            self.create({label: value}, event)
        if isinstance(event.body, e.ProjectionSwapped):
            self.restart(event.body, event)

    def restart(self, body: e.ProjectionSwapped, event: e.Recorded) -> None:
        """Give the series that a rebuild found smaller a new begin, so that scrapers see a counter reset."""
        for key in {(family, labels) for family, series in body.families.items() for labels in series} & self.series.keys():
            row = self.series[key]
            row.created_at, row.position = event.at, event.position
            self.touched.add(key)

    def create(self, fixed: dict[str, str], event: e.Recorded) -> None:
        """Create at zero every series whose open labels are those of *fixed*."""
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


BEGINNINGS = {
    e.CampaignCreated,
    e.CampaignEdited,
    e.ProjectionSwapped,
    e.QuotaGateClosed,
    e.QuotaPolicyChanged,
    e.QuotaRead,
    e.QuotaReadFailed,
}
"""The events with which series begin or begin anew."""
