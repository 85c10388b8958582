"""Which campaigns the claims of a batch need, and how many units of each: the fairest few, whatever else has work."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from service.domain import commands as c
from service.domain import ids
from service.domain.campaign import Campaign
from service.domain.rules.claiming import ShareKey, campaign_blockers, label_blockers, labels_of, shares, worker_blockers
from service.domain.state import State

Kind = tuple[tuple[ids.CampaignName, ...], ids.Mode, tuple[tuple[str, str], ...]]
"""What tells claims apart: their campaigns (none: any), their mode, their labels."""


def unscoped(claims: Iterable[c.ClaimWork]) -> list[c.ClaimWork]:
    """Return the claims that take units of any campaign."""
    return [claim for claim in claims if claim.kind == "unit" and not claim.campaigns]


def unit_counts(state: State, claims: Iterable[c.ClaimWork], at: datetime) -> Counter[ids.CampaignName]:
    """Return how many units of each campaign the claims of a batch can get, claims of one kind taken together."""
    wanted: Counter[ids.CampaignName] = Counter()
    for kind, count in by_kind(state, claims).items():
        wanted.update(allocate(state, kind, min(count, state.engine.free), at))
    return wanted


def unsatisfied(state: State, claims: Iterable[c.ClaimWork], at: datetime, slots: int, until: ShareKey | None = None) -> bool:
    """Tell whether claims that may have up to *slots* units get less than they ask for of the turns up to *until*."""
    asked = ((kind, min(count, slots)) for kind, count in by_kind(state, claims).items())
    return any(len(allocate(state, kind, count, at, until)) < count for kind, count in asked)


def by_kind(state: State, claims: Iterable[c.ClaimWork]) -> Counter[Kind]:
    """Return how many units the claims of each kind ask for; for a worker that gets nothing, none."""
    asked: Counter[Kind] = Counter()
    for claim in claims:
        worker = state.workers.get(claim.worker)
        if claim.kind == "unit" and not any(worker_blockers(worker)):
            asked[claim.campaigns, claim.mode, tuple(sorted(labels_of(worker, claim.labels).items()))] += claim.max
    return asked


def allocate(state: State, kind: Kind, count: int, at: datetime, until: ShareKey | None = None) -> list[ids.CampaignName]:
    """Return which of the loaded campaigns give up to *count* units to claims of one kind, unit by unit."""
    names, mode, pairs = kind
    labels = dict(pairs)
    asked: Iterable[Campaign] = state.campaigns.values()
    if names:
        asked = [state.campaigns[name] for name in dict.fromkeys(names) if name in state.campaigns]
    fitting = [row for row in asked if not any(label_blockers(row, labels))]
    return shares(state, [row for row in fitting if not any(campaign_blockers(state, row, mode, at))], count, at, until)
