"""Orders about investigations."""

from msgspec import Raw, Struct

from service.domain import ids
from service.domain.commands.command import Command


class Fix(Struct, frozen=True):
    """The unit that shall mend another; *key* is only what its sender believes it to be."""

    key: ids.UnitKey | None = None
    payload: Raw = Raw(b"null")


class ConcludeInvestigation(Command, frozen=True):
    """End an investigation with what it found: the root cause, and the unit that fixes it if there is one."""

    id: ids.InvestigationId
    fix: Fix | None = None
    root_cause: str | None = None


class EndInvestigations(Command, frozen=True):
    """End those among *ids* whose time is over, or whose campaign is cancelled."""

    ids: tuple[ids.InvestigationId, ...]
