"""The quarantine: one card for each unit that failed for good."""

from datetime import datetime

from msgspec import Struct

from service.domain import events as e
from service.domain import ids


class QuarantineCard(Struct, kw_only=True):
    """A quarantined unit with its cause; *screen_id* names its last screen, *pattern* the failure group that counts it."""

    campaign: ids.CampaignName
    key: ids.UnitKey
    reason: ids.QuarantineReason
    attempts: int
    error: str | None
    worker: ids.WorkerId | None
    screen_id: str | None
    quarantined_at: datetime
    position: int
    pattern: str = ""


def quarantined(body: e.UnitQuarantined, event: e.Recorded) -> QuarantineCard:
    """Return the card of a unit that is quarantined."""
    assert event.campaign is not None, "the envelope of a unit's event names the campaign"
    assert event.unit is not None, "the envelope of a unit's event names the unit"
    return QuarantineCard(
        campaign=event.campaign,
        key=event.unit,
        reason=body.reason,
        attempts=body.attempts,
        error=body.error,
        worker=body.worker,
        screen_id=body.screen_id,
        quarantined_at=event.at,
        position=event.position,
    )


def leaves(event: e.Recorded) -> bool:
    """Tell whether *event* takes a unit out of quarantine."""
    body = event.body
    return isinstance(body, e.QuarantineCleared) or (isinstance(body, e.UnitCancelled) and body.was == "quarantined")
