"""The view of a wave."""

from collections.abc import Sequence

from msgspec import Struct

from projections.views.campaign.view import UnitCounts
from projections.views.wave.card import WaveCard
from service.domain import ids
from service.domain.instant import Instant


class WaveView(Struct, kw_only=True):
    """A wave: the units at the same depth of the dependency graph, counted from 1.

    *keys* are its first units by key; the list of units with `wave=` has all of them. *started_at* is the first claim, *ended_at*
    when the last unit ended, None while one is open; *duration_s* is the time between them.
    """

    wave: int
    units: UnitCounts
    keys: list[ids.UnitKey]
    started_at: Instant | None
    ended_at: Instant | None
    duration_s: float | None


def wave_view(card: WaveCard, keys: Sequence[ids.UnitKey]) -> WaveView:
    """Return the view of *card*, with the first *keys* of its units."""
    duration = None if card.started_at is None or card.ended_at is None else card.ended_at - card.started_at
    counts = card.units
    return WaveView(
        wave=card.wave,
        units=UnitCounts(total=counts.total, **{state: getattr(counts, state) for state in ids.UNIT_STATES}),
        keys=list(keys),
        started_at=card.started_at,
        ended_at=card.ended_at,
        duration_s=None if duration is None else duration.total_seconds(),
    )
