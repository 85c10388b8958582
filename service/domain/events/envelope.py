"""The envelope: whose event it is, where it stands in the log, when and by whom."""

from datetime import datetime

from msgspec import Struct

from service.domain import ids
from service.domain.events.event import Event


class Fact(Struct, frozen=True, gc=False):
    """An event and its subject, decided and not yet in the log."""

    body: Event
    campaign: ids.CampaignName | None = None
    unit: ids.UnitKey | None = None
    worker: ids.WorkerId | None = None


class Recorded(Struct, frozen=True, gc=False):
    """An event with its envelope, as the log holds it."""

    position: int
    at: datetime
    body: Event
    campaign: ids.CampaignName | None = None
    unit: ids.UnitKey | None = None
    worker: ids.WorkerId | None = None
    shard: int = 0
    correlation_id: str | None = None
    span_id: str | None = None
    causation: str | None = None
    actor: str = ""
