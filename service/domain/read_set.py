"""Which rows a decision may read: a value that stands beside each decision, and that the store executes."""

from collections.abc import Iterable
from itertools import chain
from typing import Literal

import msgspec
from msgspec import Struct

from service.domain import ids
from service.domain.commands import ClaimWork

ImportedUnit = tuple[ids.UnitId, tuple[ids.UnitKey, ...]]
"""A unit of an import and the keys that it depends on."""


class ReadSet(Struct, frozen=True, kw_only=True, gc=False, repr_omit_defaults=True):
    """Keys of the rows that commands name. The field that holds a key says what is loaded besides its row.

    Each key stands in one field: a plain one (*units*) asks for the row alone, another (*ending_units*) for more.
    """

    campaigns: tuple[ids.CampaignName, ...] = ()
    edited_campaigns: tuple[ids.CampaignName, ...] = ()
    """Their policy may change in this batch, and so what follows from the end of their units."""
    cancelled_campaigns: tuple[ids.CampaignName, ...] = ()
    """With their first open units."""
    abandoned_campaigns: tuple[ids.CampaignName, ...] = ()
    """With all their claims and their last recovery plan."""
    planned_campaigns: tuple[ids.CampaignName, ...] = ()
    """Those that have an open recovery plan, as the log says: no command names them, and mostly there is none."""

    claims: tuple[ids.Token, ...] = ()
    """With their campaign and worker; of a token that is no longer current, what the log remembers, and the unit."""
    completing_claims: tuple[ids.Token, ...] = ()
    """With their unit, and the units that depend on it directly."""
    failing_claims: tuple[ids.Token, ...] = ()
    """With their unit, and all units below it."""

    units: tuple[ids.UnitId, ...] = ()
    ending_units: tuple[ids.UnitId, ...] = ()
    """With all units below them, and their open investigation."""
    returning_units: tuple[ids.UnitId, ...] = ()
    """As *ending_units*, and with what those below them depend on."""
    imported_units: tuple[ImportedUnit, ...] = ()
    """With what they depend on already."""
    fanouts: tuple[ids.UnitId, ...] = ()
    """Units with their fan-out and the dependents that its next round reaches."""

    workers: tuple[ids.WorkerId, ...] = ()
    judged_workers: tuple[ids.WorkerId, ...] = ()
    """With their claims."""
    fenced_workers: tuple[ids.WorkerId, ...] = ()
    """With their claims, which end as *failing_claims* do."""

    quotas: tuple[ids.QuotaKey, ...] = ()
    whole_tables: tuple[Literal["quotas"], ...] = ()
    """Small tables of which every row is read."""

    investigations: tuple[ids.InvestigationId, ...] = ()
    """With their unit and the fix that it may have."""
    recoveries: tuple[ids.RecoveryId, ...] = ()
    """With their units, as *ending_units*."""
    declined_recoveries: tuple[ids.RecoveryId, ...] = ()
    """As *recoveries*, and with their campaign as *cancelled_campaigns*."""

    claim_requests: tuple[ClaimWork, ...] = ()
    """With the next units or investigations that they may get, by fair share."""

    @classmethod
    def union(cls, read_sets: Iterable["ReadSet"]) -> "ReadSet":
        """Return everything that any of *read_sets* asks for; a key that several name may stand there more than once.

        >>> ReadSet.union([ReadSet(workers=("w",)), ReadSet(workers=("v", "w"), quotas=("q",))])
        ReadSet(workers=('w', 'v', 'w'), quotas=('q',))
        """
        # Columns, because a batch may hold hundreds of reports, and each fills one or two of the fields.
        columns = zip(*map(msgspec.structs.astuple, read_sets), strict=True)
        fields = zip(cls.__struct_fields__, columns, strict=False)
        return cls(**{name: tuple(chain.from_iterable(filter(None, column))) for name, column in fields})


class FollowingReads(Struct, frozen=True, kw_only=True):
    """Keys of the rows that follow from those which the commands name: what `following_reads` makes of a read set."""

    children: frozenset[ids.UnitId] = frozenset()
    """Units whose direct dependents are read."""
    descents: frozenset[ids.UnitId] = frozenset()
    """Units below which all units are read."""
    returning: frozenset[ids.UnitId] = frozenset()
    """Units of which, and of all that is read below them, the dependencies are read."""
    investigated: frozenset[ids.UnitId] = frozenset()
    """Units whose open investigation is read, and the fix that they may have."""
    units: frozenset[ids.UnitId] = frozenset()
    cancelled_campaigns: frozenset[ids.CampaignName] = frozenset()
    """Campaigns whose first open units are read."""


def engine_alone(_command: object) -> ReadSet:
    """Return the read set of a decision that reads nothing but the engine, which every batch has at hand."""
    return ReadSet()
