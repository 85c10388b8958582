"""Names that the shell completes: asked of the service, quickly, or not at all."""

import asyncio
import os

import click

from service.cli.option import DEFAULT_URL
from service.terminal.api_types import Campaign, Page, Quota, UnitRow, Worker
from service.terminal.http_client import AwayError, Query, RefusedError, Service, path_of

PATIENCE_S = 2.0
MOST = 100


def names(
    kind: type[Page[Campaign]] | type[Page[UnitRow]] | type[Page[Worker]] | type[Page[Quota]], *path: str, **query: str
) -> list[str]:
    """Return the names in a list of the API, nothing when it does not answer at once."""
    chosen: Query = {"limit": MOST, **query}

    async def read() -> list[str]:
        url, bearer = os.environ.get("MUSTER_URL", DEFAULT_URL), os.environ.get("MUSTER_BEARER")
        async with Service(url, bearer) as service, asyncio.timeout(PATIENCE_S):
            page = await service.read(path_of(*path), kind, chosen)
        return [name_of(item) for item in page.items]

    try:
        return asyncio.run(read())
    except (AwayError, RefusedError, TimeoutError):
        return []


def name_of(item: Campaign | UnitRow | Worker | Quota) -> str:
    """Return what a thing is called."""
    match item:
        case Campaign():
            return item.name
        case Worker():
            return item.worker
        case UnitRow() | Quota():
            return item.key


def campaigns(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    """Complete the name of a campaign."""
    return [name for name in names(Page[Campaign], "campaigns") if name.startswith(begun)]


def units(ctx: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """Complete the key of a unit of the campaign that was named before it."""
    campaign = ctx.params.get("campaign")
    if not campaign:
        return []
    asked = {"q": begun} if begun else {}
    return [key for key in names(Page[UnitRow], "campaigns", campaign, "units", **asked) if key.startswith(begun)]


def workers(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    """Complete the name of a worker."""
    return [name for name in names(Page[Worker], "workers") if name.startswith(begun)]


def quotas(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    """Complete the key of a quota."""
    return [key for key in names(Page[Quota], "quotas") if key.startswith(begun)]
