"""A glance: what the API says at one moment of what is on the screen."""

import asyncio
from collections.abc import Sequence

from msgspec import Struct, field

from service.terminal.api_types import Campaign, Engine, Page, Quarantined, Recovery, UnitRow, Worker
from service.terminal.http_client import Service, path_of

CAMPAIGNS, UNITS, WORKERS, FAILURES, FAILING = 200, 200, 500, 100, 10
SILENCE = ("dead", "stale", "warn")
OPEN = ("running", "delayed", "parked", "quarantined", "ready", "blocked")
"""The states of the units that are shown unless others are asked for, in this order."""


class Glance(Struct, kw_only=True):
    """What is on the screen; lists of panes that nobody sees stay empty."""

    engine: Engine
    campaigns: list[Campaign] = field(default_factory=list)
    units: list[UnitRow] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)
    quarantine: list[Quarantined] = field(default_factory=list)
    plans: list[Recovery] = field(default_factory=list)

    def campaign(self, name: str | None) -> Campaign | None:
        """Return a campaign by its name."""
        return next((campaign for campaign in self.campaigns if campaign.name == name), None)


async def look(service: Service, pane: str, chosen: str | None, state: str | None) -> Glance:
    """Read what *pane* shows; units are those of campaign *chosen*, in *state* if there is one."""
    engine, listed = await asyncio.gather(service.read(path_of("engine"), Engine), campaigns(service))
    glance = Glance(engine=engine, campaigns=listed)
    match pane:
        case "units" if (campaign := glance.campaign(chosen)) is not None:
            glance.units = await units(service, campaign, state)
        case "workers":
            glance.workers = await workers(service)
        case "quarantine":
            glance.quarantine = await quarantine(service, glance.campaigns)
        case "engine":
            glance.plans = await plans(service)
        case _:
            pass
    return glance


async def campaigns(service: Service) -> list[Campaign]:
    """Read campaigns: however many there are, those that run are among them."""
    asked = ({"limit": CAMPAIGNS, "state": state} for state in ("running", "paused", None))
    pages = await asyncio.gather(*(service.read(path_of("campaigns"), Page[Campaign], query) for query in asked))
    return sorted({campaign.name: campaign for page in pages for campaign in page.items}.values(), key=place)


def place(campaign: Campaign) -> tuple[bool, bool, str]:
    """Return the place of a campaign among others: what runs first, what is over last."""
    return campaign.over, campaign.state != "running", campaign.name


async def units(service: Service, campaign: Campaign, state: str | None) -> list[UnitRow]:
    """Read units of a state, or the open ones, state by state."""
    path = path_of("campaigns", campaign.name, "units")
    states = [state] if state else [one for one in OPEN if campaign.units.get(one)]
    pages = await asyncio.gather(*(service.read(path, Page[UnitRow], {"state": one, "limit": UNITS}) for one in states))
    return [unit for page in pages for unit in page.items][:UNITS]


async def workers(service: Service, levels: Sequence[str | None] = (*SILENCE, None)) -> list[Worker]:
    """Read workers of *levels*: however many there are, those that have fallen silent are among them."""
    asked = ({"limit": WORKERS, "level": level} for level in levels)
    pages = await asyncio.gather(*(service.read(path_of("workers"), Page[Worker], query) for query in asked))
    return [*{worker.worker: worker for page in pages for worker in page.items}.values()]


async def quarantine(service: Service, campaigns: list[Campaign]) -> list[Quarantined]:
    """Read what is quarantined, in the first campaigns that have something there."""
    failing = [campaign.name for campaign in campaigns if campaign.units.get("quarantined")][:FAILING]
    pages = await asyncio.gather(
        *(service.read(path_of("campaigns", name, "quarantine"), Page[Quarantined], {"limit": FAILURES}) for name in failing)
    )
    for name, page in zip(failing, pages, strict=True):
        for unit in page.items:
            unit.campaign = name
    return sorted((unit for page in pages for unit in page.items), key=lambda unit: unit.quarantined_at, reverse=True)


async def plans(service: Service) -> list[Recovery]:
    """Read the recovery plans that nobody has decided on."""
    return (await service.read(path_of("recovery"), Page[Recovery])).items
