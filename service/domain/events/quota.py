"""Events of quotas and their gates."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from service.domain import ids
from service.domain.events.event import Event, Wakes

Firing = Annotated[
    ids.Fire,
    Meta(
        description="When claims pass. always: until something closes the gate. when_available: only while a reading says that"
        " less than the threshold is used. on_reset: once used up, after the next reset."
    ),
]
Threshold = Annotated[float, Meta(ge=0, le=1, description="The share of the quota from which it counts as used up; 0.9 is 90 %.")]
Offset = Annotated[
    float, Meta(ge=0, le=604_800, description="With on_reset: seconds between the reset and the opening of the gate.")
]
Ramp = Annotated[float, Meta(gt=0, le=1_000_000, description="Claims a second in the first minute after the gate opens.")]


class QuotaPolicy(Struct, frozen=True, forbid_unknown_fields=True):
    """How a gate behaves."""

    fire: Firing = "always"
    threshold: Threshold = 0.9
    offset_s: Offset = 900
    ramp_per_s: Ramp = 50


class QuotaRead(Event, frozen=True):
    """A meter answered; *utilization* is a ratio of the quota used."""

    kind = "quota.read"
    wakes = Wakes.CLAIMS
    key: ids.QuotaKey
    utilization: float | None
    resets_at: datetime | None


class QuotaReadFailed(Event, frozen=True):
    """A meter did not answer; the next poll is due in *next_poll_s* seconds."""

    kind = "quota.read_failed"
    wakes = Wakes.NOTHING
    key: ids.QuotaKey
    failure: ids.ReadingFailure
    message: str | None
    consecutive: int
    next_poll_s: float


class QuotaGateClosed(Event, frozen=True):
    """No claim passes for any campaign of this quota. Without *resume_at*, the gate waits for a reading or a person."""

    kind = "quota.gate_closed"
    wakes = Wakes.SCHEDULER
    key: ids.QuotaKey
    reason: ids.GateReason
    resume_at: datetime | None
    source: str


class QuotaGateOpened(Event, frozen=True):
    """Claims pass again, at most *ramp_per_s* a second at first."""

    kind = "quota.gate_opened"
    wakes = Wakes.CLAIMS | Wakes.SCHEDULER
    key: ids.QuotaKey
    cause: Literal["due", "reading", "forced"]
    ramp_per_s: float


class QuotaPolicyChanged(Event, frozen=True):
    """The quota's gate follows another policy from now on."""

    kind = "quota.policy_changed"
    wakes = Wakes.CLAIMS
    key: ids.QuotaKey
    policy: QuotaPolicy
