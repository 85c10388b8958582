"""A unit of work and the claim that holds it: their rows, as decisions read them."""

from datetime import datetime

from msgspec import Raw, Struct

from service.domain import ids


class Unit(Struct, gc=False):
    """One unit; only `evolve` writes it. Its fields stand in the order in which the store reads them.

    *settled* means that no dependent waits for it: it is done, or it failed where the policy runs dependents without it.
    *waits_for* counts its unsettled dependencies, *dependents* the units that depend on it. *ready_at* is when it last became
    ready, *first_ready_at* when it first did.
    """

    campaign: ids.CampaignName
    key: ids.UnitKey
    state: ids.UnitState
    group: int
    priority: int
    seq: int
    payload: Raw
    updated_at: datetime
    estimate_s: float | None = None
    kind: str = "unit"
    fix_of: ids.UnitKey | None = None
    attempts: int = 0
    parks: int = 0
    claims: int = 0
    token: ids.Token | None = None
    worker: ids.WorkerId | None = None
    session: str | None = None
    due_at: datetime | None = None
    resume_at: datetime | None = None
    reason: str | None = None
    error: str | None = None
    screen_id: str | None = None
    waits_for: int = 0
    dependents: int = 0
    settled: bool = False
    because_of: ids.UnitKey | None = None
    ready_at: datetime | None = None
    claimed_at: datetime | None = None
    first_ready_at: datetime | None = None

    @property
    def untouched(self) -> bool:
        """Whether nobody has ever started the unit, so that an import may still change it."""
        return self.claimed_at is None and self.state != "cancelled"


class ClaimEnding(Struct, gc=False):
    """The report of its own worker that ended a claim: its digest, its place in the log, the state that was answered."""

    digest: str
    position: int
    state: ids.UnitState


class Claim(Struct, gc=False):
    """The lease of one unit. Every heartbeat rewrites the row, so it is narrow, and no index covers what changes."""

    token: ids.Token
    campaign: ids.CampaignName
    unit: ids.UnitKey
    worker: ids.WorkerId
    fence: int
    attempt: int
    mode: ids.Mode
    claimed_at: datetime
    lease_s: float
    lease_until: datetime
    beat_at: datetime
    moved_at: datetime | None = None
    output_at: datetime | None = None
    progress: float | None = None
    note: str | None = None
    session: str | None = None
    idle_count: int = 0
    screen_id: str | None = None


def object_or_empty(payload: Raw) -> Raw:
    """Return a payload as clients see it: `{}` where none was given, which the log keeps as null.

    >>> bytes(object_or_empty(Raw(b"null"))), bytes(object_or_empty(Raw(b"[1]")))
    (b'{}', b'[1]')
    """
    return Raw(b"{}") if bytes(payload) == b"null" else payload
