"""`muster completion`: the script for a shell, and the names of campaigns, units, workers and quotas that it completes."""

import asyncio
import os

import click
from click.shell_completion import get_completion_class

from service.cli.client.remote import example
from service.cli.option import DEFAULT_URL
from service.client.api_types import ApiCampaign, ApiPage, ApiQuota, ApiUnitRow, ApiWorker
from service.client.errors import AwayError, RefusedError
from service.client.http_client import ApiClient, Query, path_of

TIMEOUT_S = 2.0
"""A shell that waits for a service is worse than one that completes nothing."""
MAX_NAMES = 100
SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
@example(
    "muster completion bash > ~/.local/share/bash-completion/completions/muster",
    "muster completion zsh > ~/.zfunc/_muster",
    "muster completion fish > ~/.config/fish/completions/muster.fish",
)
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion of commands, options, campaigns, units and workers for SHELL."""
    kind = get_completion_class(shell)
    assert kind is not None, "every shell of the choice is one of click's"
    click.echo(kind(ctx.find_root().command, {}, "muster", "_MUSTER_COMPLETE").source())


def listed_names(
    kind: type[ApiPage[ApiCampaign]] | type[ApiPage[ApiUnitRow]] | type[ApiPage[ApiWorker]] | type[ApiPage[ApiQuota]],
    *path: str,
    **query: str,
) -> list[str]:
    """Return the names in a list of the API, an empty list when it does not answer in time."""
    filters: Query = {"limit": MAX_NAMES, **query}

    async def read() -> list[str]:
        url, bearer = os.environ.get("MUSTER_URL", DEFAULT_URL), os.environ.get("MUSTER_BEARER")
        async with ApiClient(url, bearer) as service, asyncio.timeout(TIMEOUT_S):
            page = await service.read(path_of(*path), kind, filters)
        return [name_of(item) for item in page.items]

    try:
        return asyncio.run(read())
    except (AwayError, RefusedError, TimeoutError):
        return []


def name_of(item: ApiCampaign | ApiUnitRow | ApiWorker | ApiQuota) -> str:
    """Return the name or key of an item."""
    match item:
        case ApiCampaign():
            return item.name
        case ApiWorker():
            return item.worker
        case ApiUnitRow() | ApiQuota():
            return item.key


def campaigns(_: click.Context, __: click.Parameter, prefix: str) -> list[str]:
    """Complete the name of a campaign."""
    return [name for name in listed_names(ApiPage[ApiCampaign], "campaigns") if name.startswith(prefix)]


def units(ctx: click.Context, _: click.Parameter, prefix: str) -> list[str]:
    """Complete the key of a unit of the campaign argument."""
    campaign = ctx.params.get("campaign")
    if not campaign:
        return []
    query = {"q": prefix} if prefix else {}
    return [key for key in listed_names(ApiPage[ApiUnitRow], "campaigns", campaign, "units", **query) if key.startswith(prefix)]


def workers(_: click.Context, __: click.Parameter, prefix: str) -> list[str]:
    """Complete the name of a worker."""
    return [name for name in listed_names(ApiPage[ApiWorker], "workers") if name.startswith(prefix)]


def quotas(_: click.Context, __: click.Parameter, prefix: str) -> list[str]:
    """Complete the key of a quota."""
    return [key for key in listed_names(ApiPage[ApiQuota], "quotas") if key.startswith(prefix)]
