"""A snapshot: what `muster top` reads of the API at one moment, for the visible pane."""

import asyncio
from collections.abc import Sequence

from msgspec import Struct, field

from service.client.api_types import ApiCampaign, ApiEngine, ApiPage, ApiQuarantinedUnit, ApiRecovery, ApiUnitRow, ApiWorker
from service.client.http_client import ApiClient, path_of

MAX_CAMPAIGNS, MAX_UNITS, MAX_WORKERS, MAX_QUARANTINED = 200, 200, 500, 100
MAX_QUARANTINE_CAMPAIGNS = 10
SILENT_LEVELS = ("dead", "stale", "warn")
OPEN_STATES = ("running", "delayed", "parked", "quarantined", "ready", "blocked")
"""The states of units that the pane shows, in this order, unless another one is chosen."""


class ScreenSnapshot(Struct, kw_only=True):
    """What is on the screen; the lists of hidden panes stay empty."""

    engine: ApiEngine
    campaigns: list[ApiCampaign] = field(default_factory=list)
    units: list[ApiUnitRow] = field(default_factory=list)
    workers: list[ApiWorker] = field(default_factory=list)
    quarantine: list[ApiQuarantinedUnit] = field(default_factory=list)
    plans: list[ApiRecovery] = field(default_factory=list)

    def campaign(self, name: str | None) -> ApiCampaign | None:
        """Return a campaign by its name."""
        return next((campaign for campaign in self.campaigns if campaign.name == name), None)


async def take_snapshot(service: ApiClient, pane: str, chosen: str | None, state: str | None) -> ScreenSnapshot:
    """Read what *pane* shows. Units are those of campaign *chosen*, and of *state* unless it is None."""
    engine, listed = await asyncio.gather(service.read(path_of("engine"), ApiEngine), campaigns(service))
    snapshot = ScreenSnapshot(engine=engine, campaigns=listed)
    match pane:
        case "units" if (campaign := snapshot.campaign(chosen)) is not None:
            snapshot.units = await units(service, campaign, state)
        case "workers":
            snapshot.workers = await workers(service)
        case "quarantine":
            snapshot.quarantine = await quarantine(service, snapshot.campaigns)
        case "engine":
            snapshot.plans = await plans(service)
        case _:
            pass
    return snapshot


async def campaigns(service: ApiClient) -> list[ApiCampaign]:
    """Read campaigns. Running and paused ones are read by themselves, so that none is lost among many completed ones."""
    queries = ({"limit": MAX_CAMPAIGNS, "state": state} for state in ("running", "paused", None))
    pages = await asyncio.gather(*(service.read(path_of("campaigns"), ApiPage[ApiCampaign], query) for query in queries))
    return sorted({campaign.name: campaign for page in pages for campaign in page.items}.values(), key=running_first)


def running_first(campaign: ApiCampaign) -> tuple[bool, bool, str]:
    """Return the sort key that puts running campaigns first and ended ones last."""
    return campaign.over, campaign.state != "running", campaign.name


async def units(service: ApiClient, campaign: ApiCampaign, state: str | None) -> list[ApiUnitRow]:
    """Read units of a state, or the open ones, state by state."""
    path = path_of("campaigns", campaign.name, "units")
    states = [state] if state else [one for one in OPEN_STATES if campaign.units.get(one)]
    pages = await asyncio.gather(*(service.read(path, ApiPage[ApiUnitRow], {"state": one, "limit": MAX_UNITS}) for one in states))
    return [unit for page in pages for unit in page.items][:MAX_UNITS]


async def workers(service: ApiClient, levels: Sequence[str | None] = (*SILENT_LEVELS, None)) -> list[ApiWorker]:
    """Read workers of *levels*. Silent ones are read by themselves, so that none is lost among many healthy ones."""
    queries = ({"limit": MAX_WORKERS, "level": level} for level in levels)
    pages = await asyncio.gather(*(service.read(path_of("workers"), ApiPage[ApiWorker], query) for query in queries))
    return [*{worker.worker: worker for page in pages for worker in page.items}.values()]


async def quarantine(service: ApiClient, campaigns: list[ApiCampaign]) -> list[ApiQuarantinedUnit]:
    """Read the quarantined units of the first campaigns that have any."""
    with_quarantine = [campaign.name for campaign in campaigns if campaign.units.get("quarantined")][:MAX_QUARANTINE_CAMPAIGNS]
    pages = await asyncio.gather(
        *(
            service.read(path_of("campaigns", name, "quarantine"), ApiPage[ApiQuarantinedUnit], {"limit": MAX_QUARANTINED})
            for name in with_quarantine
        )
    )
    for name, page in zip(with_quarantine, pages, strict=True):
        for unit in page.items:
            unit.campaign = name
    return sorted((unit for page in pages for unit in page.items), key=lambda unit: unit.quarantined_at, reverse=True)


async def plans(service: ApiClient) -> list[ApiRecovery]:
    """Read the open recovery plans."""
    return (await service.read(path_of("recovery"), ApiPage[ApiRecovery])).items
