"""A glance: what the API says at one moment of what is on the screen."""

import asyncio
from collections.abc import Sequence

from msgspec import Struct, field

from service.client.api_types import ApiCampaign, ApiEngine, ApiPage, ApiQuarantinedUnit, ApiRecovery, ApiUnitRow, ApiWorker
from service.client.http_client import ApiClient, path_of

CAMPAIGNS, UNITS, WORKERS, FAILURES, FAILING = 200, 200, 500, 100, 10
SILENCE = ("dead", "stale", "warn")
OPEN = ("running", "delayed", "parked", "quarantined", "ready", "blocked")
"""The states of the units that are shown unless others are asked for, in this order."""


class ScreenSnapshot(Struct, kw_only=True):
    """What is on the screen; lists of panes that nobody sees stay empty."""

    engine: ApiEngine
    campaigns: list[ApiCampaign] = field(default_factory=list)
    units: list[ApiUnitRow] = field(default_factory=list)
    workers: list[ApiWorker] = field(default_factory=list)
    quarantine: list[ApiQuarantinedUnit] = field(default_factory=list)
    plans: list[ApiRecovery] = field(default_factory=list)

    def campaign(self, name: str | None) -> ApiCampaign | None:
        """Return a campaign by its name."""
        return next((campaign for campaign in self.campaigns if campaign.name == name), None)


async def look(service: ApiClient, pane: str, chosen: str | None, state: str | None) -> ScreenSnapshot:
    """Read what *pane* shows; units are those of campaign *chosen*, in *state* if there is one."""
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
    """Read campaigns: however many there are, those that run are among them."""
    asked = ({"limit": CAMPAIGNS, "state": state} for state in ("running", "paused", None))
    pages = await asyncio.gather(*(service.read(path_of("campaigns"), ApiPage[ApiCampaign], query) for query in asked))
    return sorted({campaign.name: campaign for page in pages for campaign in page.items}.values(), key=place)


def place(campaign: ApiCampaign) -> tuple[bool, bool, str]:
    """Return the place of a campaign among others: what runs first, what is over last."""
    return campaign.over, campaign.state != "running", campaign.name


async def units(service: ApiClient, campaign: ApiCampaign, state: str | None) -> list[ApiUnitRow]:
    """Read units of a state, or the open ones, state by state."""
    path = path_of("campaigns", campaign.name, "units")
    states = [state] if state else [one for one in OPEN if campaign.units.get(one)]
    pages = await asyncio.gather(*(service.read(path, ApiPage[ApiUnitRow], {"state": one, "limit": UNITS}) for one in states))
    return [unit for page in pages for unit in page.items][:UNITS]


async def workers(service: ApiClient, levels: Sequence[str | None] = (*SILENCE, None)) -> list[ApiWorker]:
    """Read workers of *levels*: however many there are, those that have fallen silent are among them."""
    asked = ({"limit": WORKERS, "level": level} for level in levels)
    pages = await asyncio.gather(*(service.read(path_of("workers"), ApiPage[ApiWorker], query) for query in asked))
    return [*{worker.worker: worker for page in pages for worker in page.items}.values()]


async def quarantine(service: ApiClient, campaigns: list[ApiCampaign]) -> list[ApiQuarantinedUnit]:
    """Read what is quarantined, in the first campaigns that have something there."""
    failing = [campaign.name for campaign in campaigns if campaign.units.get("quarantined")][:FAILING]
    pages = await asyncio.gather(
        *(
            service.read(path_of("campaigns", name, "quarantine"), ApiPage[ApiQuarantinedUnit], {"limit": FAILURES})
            for name in failing
        )
    )
    for name, page in zip(failing, pages, strict=True):
        for unit in page.items:
            unit.campaign = name
    return sorted((unit for page in pages for unit in page.items), key=lambda unit: unit.quarantined_at, reverse=True)


async def plans(service: ApiClient) -> list[ApiRecovery]:
    """Read the recovery plans that nobody has decided on."""
    return (await service.read(path_of("recovery"), ApiPage[ApiRecovery])).items
