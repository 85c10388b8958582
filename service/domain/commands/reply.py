"""What decisions reply."""

from typing import Literal

from msgspec import UNSET, Raw, Struct, UnsetType

from service.domain import ids
from service.domain.instant import Instant


class Grant(Struct, frozen=True, gc=False):
    """A claim, as its worker receives it.

    A claim of kind `investigation` also names its investigation, and carries what the unit left: its last error and exit code,
    and the end of its last screen.
    """

    token: ids.Token
    campaign: ids.CampaignName
    key: ids.UnitKey
    payload: Raw
    attempt: int
    brief: str | None
    brief_rev: int
    lease_until: Instant
    lease_s: float
    resume_session: str | None
    kind: ids.ClaimKind
    investigation: ids.InvestigationId | UnsetType = UNSET
    error: str | UnsetType | None = UNSET
    exit_code: int | UnsetType | None = UNSET
    screen: str | UnsetType | None = UNSET


class BlockedCampaign(Struct, frozen=True):
    """Why a campaign granted no claim."""

    campaign: ids.CampaignName
    reason: str


class ClaimReply(Struct, frozen=True):
    """The answer to a claim."""

    claims: tuple[Grant, ...]
    blocked: tuple[BlockedCampaign, ...]


class ReportReply(Struct, frozen=True, gc=False):
    """The answer to a report: the state of the unit now, the new end of the lease, and what the worker has to do."""

    state: ids.UnitState | None
    lease_until: Instant | None = None
    signal: Literal["stop", "drain", "probe"] | None = None


class ImportReply(Struct, frozen=True):
    """The answer to an import."""

    added: int
    updated: int
    unchanged: int


class ClearReply(Struct, frozen=True):
    """The answer to a bulk retry: how many came back to work."""

    cleared: int
