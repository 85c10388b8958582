"""Cardinality limits: which campaigns, workers and quotas have series of their own, and for how long after their end."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypeVar

from msgspec import Struct

from projections.measures.measure import NO_QUOTA
from projections.views.campaign.card import CampaignCard
from projections.views.fold import ReadModels
from projections.views.worker.card import WorkerCard

T = TypeVar("T")


class CardinalityLimits(Struct, frozen=True):
    """How many names of each kind are exposed, and for how long after their end."""

    campaigns: int = 200
    workers: int = 1000
    quotas: int = 50
    campaign_retention: timedelta = timedelta(hours=24)
    worker_retention: timedelta = timedelta(hours=1)


class VisibleNames(Struct, frozen=True):
    """The names of an exposition, and by kind how many were dropped."""

    campaigns: dict[str, CampaignCard]
    workers: dict[str, WorkerCard]
    quotas: frozenset[str]
    dropped: dict[str, int]

    def has(self, subject: str, name: str) -> bool:
        """Tell whether a campaign or a quota is exposed."""
        return name in (self.campaigns if subject == "campaign" else self.quotas)


def visible_names(cards: ReadModels, at: datetime, limits: CardinalityLimits = CardinalityLimits()) -> VisibleNames:  # noqa: B008 - frozen
    """Return the names that are exposed at *at*: open ones first, then the most recent."""
    campaigns = [card for card in cards.campaigns.values() if is_retained(ended_at(card), at, limits.campaign_retention)]
    workers = [card for card in cards.workers.values() if card.claims or is_retained(card.gone_at, at, limits.worker_retention)]
    quotas = quota_ranks(cards)
    first_campaigns = highest(campaigns, limits.campaigns, key=lambda card: (ended_at(card) is None, card.created_at))
    first_workers = highest(workers, limits.workers, key=lambda card: (card.gone_at is None, card.last_heartbeat_at))
    first_quotas = highest(quotas.items(), limits.quotas, key=lambda one: (one[0] == NO_QUOTA, one[1]))
    return VisibleNames(
        campaigns={card.name: card for card in first_campaigns},
        workers={card.worker: card for card in first_workers},
        quotas=frozenset(key for key, _ in first_quotas),
        dropped={
            "campaign": len(campaigns) - len(first_campaigns),
            "worker": len(workers) - len(first_workers),
            "quota": len(quotas) - len(first_quotas),
        },
    )


def ended_at(card: CampaignCard) -> datetime | None:
    """Return when a campaign ended, None while it is open."""
    return card.cancelled_at or card.completed_at


def is_retained(ended: datetime | None, at: datetime, retention: timedelta) -> bool:
    """Tell whether something that *ended* is still exposed."""
    return ended is None or at - ended < retention


def quota_ranks(cards: ReadModels) -> dict[str, tuple[bool, str]]:
    """Return every quota with its rank: closed gates come first."""
    closed = {str(key): card.closed_at is not None for key, card in cards.quotas.items()}
    return {key: (is_closed, key) for key, is_closed in ({NO_QUOTA: False} | closed).items()}


def highest(items: Iterable[T], limit: int, key: object) -> list[T]:
    """Return the *limit* items of the highest rank."""
    return sorted(items, key=key, reverse=True)[:limit]  # type: ignore[call-overload,no-any-return] # any key that sorts
