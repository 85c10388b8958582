"""What every event is, and its envelope: whose event it is, where it stands in the log, when it came and by whom."""

from datetime import datetime
from enum import Flag, auto
from typing import ClassVar

from msgspec import Struct

from service.domain import ids


class Wakes(Flag):
    """Who has to look again once an event is committed, without waiting for its next poll.

    *CLAIMS*: work may have become claimable: a unit became ready, a slot or a group became free, a switch or a gate opened.
    *SCHEDULER*: something may be due within its longest nap, sooner than anything before.
    """

    NOTHING = 0
    CLAIMS = auto()
    SCHEDULER = auto()


class Event(Struct, frozen=True, kw_only=True):
    """What happened. *kind* is its name in the log, *schema* the version of its payload, *wakes* who looks again."""

    kind: ClassVar[str]
    wakes: ClassVar[Wakes]
    schema: ClassVar[int] = 1


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
