"""Who is shown by name: caps for what has no closed set of names, and how long what ended stays."""

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
    """How many have series of their own, and how long after their end."""

    campaigns: int = 200
    workers: int = 1000
    quotas: int = 50
    campaign_stays: timedelta = timedelta(hours=24)
    worker_stays: timedelta = timedelta(hours=1)


class VisibleNames(Struct, frozen=True):
    """The names that an exposition has, and by kind how many more there are."""

    campaigns: dict[str, CampaignCard]
    workers: dict[str, WorkerCard]
    quotas: frozenset[str]
    dropped: dict[str, int]

    def has(self, subject: str, name: str) -> bool:
        """Tell whether a campaign or a quota is shown."""
        return name in (self.campaigns if subject == "campaign" else self.quotas)


def visible_names(cards: ReadModels, at: datetime, limits: CardinalityLimits = CardinalityLimits()) -> VisibleNames:  # noqa: B008 - frozen
    """Return who is shown at *at*: what is open first, then the most recent."""
    campaigns = [card for card in cards.campaigns.values() if stays(ended_at(card), at, limits.campaign_stays)]
    workers = [card for card in cards.workers.values() if card.claims or stays(card.gone_at, at, limits.worker_stays)]
    quotas = named_quotas(cards)
    first_campaigns = first(campaigns, limits.campaigns, key=lambda card: (ended_at(card) is None, card.created_at))
    first_workers = first(workers, limits.workers, key=lambda card: (card.gone_at is None, card.last_heartbeat_at))
    first_quotas = first(quotas.items(), limits.quotas, key=lambda one: (one[0] == NO_QUOTA, one[1]))
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
    """Return when a campaign came to its end, None while it is open."""
    return card.cancelled_at or card.completed_at


def stays(ended: datetime | None, at: datetime, stay: timedelta) -> bool:
    """Tell whether what *ended* is still shown."""
    return ended is None or at - ended < stay


def named_quotas(cards: ReadModels) -> dict[str, tuple[bool, str]]:
    """Return every quota with what decides its rank: a closed gate comes first."""
    closed = {str(key): card.closed_at is not None for key, card in cards.quotas.items()}
    return {key: (is_closed, key) for key, is_closed in ({NO_QUOTA: False} | closed).items()}


def first(found: Iterable[T], most: int, key: object) -> list[T]:
    """Return those of the highest rank, at most so many."""
    return sorted(found, key=key, reverse=True)[:most]  # type: ignore[call-overload,no-any-return] # any key that sorts
