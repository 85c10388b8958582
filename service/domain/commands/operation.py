"""Orders about the service itself: its leader, its rebuilds, its diagnostics."""

from service.domain import ids
from service.domain.commands.command import Command


class ElectLeader(Command, frozen=True):
    """Record which replica leads."""

    replica: str


class NoteSwap(Command, frozen=True):
    """Record that a rebuild replaces the views: which series of which families got smaller, and what it mends of the state."""

    generation: int
    families: dict[str, tuple[tuple[str, ...], ...]]
    mended: str | None = None


class ExportDiagnostic(Command, frozen=True):
    """Record that somebody takes a bundle with that digest; twice within a minute only with *force*."""

    campaign: ids.CampaignName
    sha256: str
    force: bool = False
