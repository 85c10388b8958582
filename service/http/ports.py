"""What the handlers need of others: the Writer, the reads behind answers that are views, the bodies kept for repetitions."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Raw

from service.domain import ids
from service.domain.commands import Command
from service.submission import Answer, Origin


class WriterPort(Protocol):
    """QuarantineFilter every command goes."""

    async def submit(self, commands: Sequence[Command], origin: Origin) -> Answer:
        """Decide *commands* in one transaction, each on its own."""


class ViewPort(Protocol):
    """The views as JSON, not older than position *at_least*.

    A view that is not there in time raises `Lagging`; one that does not exist is None.
    """

    async def campaign(self, name: ids.CampaignName, at_least: int | None) -> Raw | None:
        """Return the campaign view."""

    async def unit(self, campaign: ids.CampaignName, key: ids.UnitKey, at_least: int | None) -> Raw | None:
        """Return the unit with its attempts."""

    async def worker(self, worker: ids.WorkerId, at_least: int | None) -> Raw | None:
        """Return the worker view."""

    async def engine(self, at_least: int | None) -> Raw:
        """Return the engine view."""

    async def quota(self, key: ids.QuotaKey, at_least: int | None) -> Raw | None:
        """Return one quota view."""

    async def investigation(self, known: ids.InvestigationId, at_least: int | None) -> Raw | None:
        """Return one investigation."""

    async def recovery(self, known: ids.RecoveryId, at_least: int | None) -> Raw | None:
        """Return one recovery plan."""


class BundlePort(Protocol):
    """The diagnostics of a campaign."""

    async def bundle(self, campaign: ids.CampaignName) -> bytes | None:
        """Return everything that helps to understand a campaign as one redacted document, None of one that is not there."""


class QuarantinePort(Protocol):
    """Which units of a campaign are quarantined."""

    async def keys(
        self, campaign: ids.CampaignName, where: "QuarantineFilter", after: ids.UnitKey | None, limit: int
    ) -> Sequence[ids.UnitKey]:
        """Return up to *limit* keys that match *where*, in order, after key *after*."""


class QuarantineFilter(Protocol):
    """What a bulk retry matches; None matches everything. *error_glob* knows `*` and `?`, whole message, any case."""

    @property
    def reason(self) -> ids.QuarantineReason | None:
        """The quarantine reason."""

    @property
    def error_glob(self) -> str | None:
        """A glob on the error."""


class IdempotencyPort(Protocol):
    """The bodies that repetitions of an idempotency key get, where they are only known after the commit."""

    async def keep(self, key: str, status: int, body: bytes) -> None:
        """Remember the body of the first answer to *key*."""
