"""What the handlers need beside the Writer: the views that answer mutations, diagnostics, and bodies stored for repetitions."""

from typing import Protocol

from msgspec import Raw

from service.domain import ids


class ViewPort(Protocol):
    """The views as JSON, not older than position *at_least*; None where nothing has that name.

    Each method raises `ProjectionLagging` when the views do not reach the position in time.
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
        """Return the redacted diagnostics of a campaign as one document, None when there is no such campaign."""


class IdempotencyPort(Protocol):
    """The bodies that repetitions of an idempotency key get, where a body is known only after the commit."""

    async def keep(self, key: str, status: int, body: bytes) -> None:
        """Store the body of the first answer to *key*."""
