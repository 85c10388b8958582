"""The series of one shard, kept by the fold of events."""

from bisect import bisect_left
from datetime import datetime

from msgspec import Struct, field

from projections.measures.catalogue import FOLDED
from projections.measures.measure import measure, parents
from service.domain import events as e

Key = tuple[str, tuple[str, ...]]

BOUNDS = {family.name: family.bounds_us() for family in FOLDED if family.kind == "histogram"}
PARENTS = (e.CampaignCreated, e.CampaignEdited, e.QuotaRead, e.QuotaReadFailed, e.QuotaGateClosed, e.QuotaPolicyChanged)


class Series(Struct, gc=False):
    """One series of whole numbers, changed last at *position*; *buckets* are not cumulative, the last is +Inf."""

    created_at: datetime
    position: int
    value: int = 0
    sum_us: int = 0
    buckets: list[int] = field(default_factory=list)


class Book:
    """All series; *touched* are those to save."""

    def __init__(self) -> None:
        self.series: dict[Key, Series] = {}
        self.touched: set[Key] = set()

    def fold(self, event: e.Recorded) -> None:
        """Add what *event* counts; series of a beginning exist at zero first."""
        if not self.series:
            self.create({}, event)
        if isinstance(event.body, PARENTS):
            for label, value in parents(event):
                self.create({label: value}, event)
        series, touched = self.series, self.touched
        for family, labels, count, observed in measure(event):
            key = (family, labels)
            row = series.get(key)
            if row is None:
                row = self.add(key, event)
            row.value += count
            row.position = event.position
            if observed is not None:
                row.sum_us += observed
                row.buckets[bisect_left(BOUNDS[family], observed)] += count
            touched.add(key)

    def create(self, fixed: dict[str, str], event: e.Recorded) -> None:
        """Create every series whose open labels *fixed* gives, at zero."""
        for family in FOLDED:
            if fixed.keys() == {label for label, values in family.labels.items() if values is None}:
                for labels in family.combinations(**fixed):
                    if (family.name, labels) not in self.series:
                        self.add((family.name, labels), event)

    def add(self, key: Key, event: e.Recorded) -> Series:
        """Create one series at zero."""
        buckets = [0] * (len(BOUNDS[key[0]]) + 1) if key[0] in BOUNDS else []
        row = self.series[key] = Series(event.at, event.position, buckets=buckets)
        self.touched.add(key)
        return row
