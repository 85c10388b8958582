"""Names that the shell completes: asked of the service, quickly, or not at all."""

import asyncio
import os

import click

from service.cli.option import DEFAULT_URL
from service.client.api_types import ApiCampaign, ApiPage, ApiQuota, ApiUnitRow, ApiWorker
from service.client.errors import AwayError, RefusedError
from service.client.http_client import ApiClient, Query, path_of

PATIENCE_S = 2.0
MOST = 100


def names(
    kind: type[ApiPage[ApiCampaign]] | type[ApiPage[ApiUnitRow]] | type[ApiPage[ApiWorker]] | type[ApiPage[ApiQuota]],
    *path: str,
    **query: str,
) -> list[str]:
    """Return the names in a list of the API, nothing when it does not answer at once."""
    chosen: Query = {"limit": MOST, **query}

    async def read() -> list[str]:
        url, bearer = os.environ.get("MUSTER_URL", DEFAULT_URL), os.environ.get("MUSTER_BEARER")
        async with ApiClient(url, bearer) as service, asyncio.timeout(PATIENCE_S):
            page = await service.read(path_of(*path), kind, chosen)
        return [name_of(item) for item in page.items]

    try:
        return asyncio.run(read())
    except (AwayError, RefusedError, TimeoutError):
        return []


def name_of(item: ApiCampaign | ApiUnitRow | ApiWorker | ApiQuota) -> str:
    """Return what a thing is called."""
    match item:
        case ApiCampaign():
            return item.name
        case ApiWorker():
            return item.worker
        case ApiUnitRow() | ApiQuota():
            return item.key


def campaigns(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    """Complete the name of a campaign."""
    return [name for name in names(ApiPage[ApiCampaign], "campaigns") if name.startswith(begun)]


def units(ctx: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """Complete the key of a unit of the campaign that was named before it."""
    campaign = ctx.params.get("campaign")
    if not campaign:
        return []
    asked = {"q": begun} if begun else {}
    return [key for key in names(ApiPage[ApiUnitRow], "campaigns", campaign, "units", **asked) if key.startswith(begun)]


def workers(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    """Complete the name of a worker."""
    return [name for name in names(ApiPage[ApiWorker], "workers") if name.startswith(begun)]


def quotas(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    """Complete the key of a quota."""
    return [key for key in names(ApiPage[ApiQuota], "quotas") if key.startswith(begun)]
