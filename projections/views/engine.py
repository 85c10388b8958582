"""The engine's card: its switch, its pool, its leader, and the fold of events into it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from msgspec import Struct

from service.domain import events as e


class EngineCard(Struct, kw_only=True):
    """The card of the engine; *in_use* counts the claims."""

    pool_size: int = 1000
    in_use: int = 0
    paused_at: datetime | None = None
    paused_by: str | None = None
    paused_reason: str | None = None
    leader: str | None = None


def paused(card: EngineCard, body: e.EnginePaused, event: e.Recorded) -> None:
    """The switch is off."""
    card.paused_at, card.paused_by, card.paused_reason = event.at, body.by, body.reason


def resumed(card: EngineCard, _body: e.EngineResumed, _event: e.Recorded) -> None:
    """The switch is on."""
    card.paused_at = card.paused_by = card.paused_reason = None


def resized(card: EngineCard, body: e.EngineResized, _event: e.Recorded) -> None:
    """The pool was resized."""
    card.pool_size = body.pool_size


def elected(card: EngineCard, body: e.LeaderElected, _event: e.Recorded) -> None:
    """Another replica leads."""
    card.leader = body.replica


FOLDS: dict[type[e.Event], Callable[[EngineCard, Any, e.Recorded], None]] = {
    e.EnginePaused: paused,
    e.EngineResumed: resumed,
    e.EngineResized: resized,
    e.LeaderElected: elected,
}
