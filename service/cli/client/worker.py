"""`muster worker …`: workers seen and steered over the API."""

import click

from service.cli.client.name_completion import campaigns, workers
from service.cli.client.remote import Remote, agreed, example, hint, paged, reasoned, remote
from service.client.api_types import ApiPage, ApiWorker
from service.client.http_client import path_of
from service.terminal.formatting import line
from service.terminal.render import table
from service.terminal.render import worker as face

LEVELS = ("healthy", "warn", "stale", "dead")
worker_argument = click.argument("name", shell_complete=workers)


@click.group()
@example("muster worker list --level stale", 'muster worker drain w-1 --reason "the machine goes down"')
def worker() -> None:
    """See and steer workers."""


@worker.command("list")
@click.option("--level", type=click.Choice(LEVELS), help="Only those heard of like this.")
@click.option("--campaign", shell_complete=campaigns, help="Only those that hold a claim of it.")
@paged
@remote
async def list_workers(muster: Remote, level: str | None, campaign: str | None, limit: int, cursor: str | None) -> None:
    """List workers."""
    query = {"level": level, "campaign": campaign, "limit": limit, "cursor": cursor}
    muster.print_answer(await muster.service.get(path_of("workers"), query), ApiPage[ApiWorker], print_workers)


def print_workers(page: ApiPage[ApiWorker]) -> None:
    """Print workers."""
    table.show(face.LIST, page.items, nothing="no workers")
    hint(page.next)


@worker.command()
@worker_argument
@remote
async def show(muster: Remote, name: str) -> None:
    """Show one worker and the units in its hands."""
    muster.print_answer(await muster.service.get(path_of("workers", name)), ApiWorker, print_worker)


def print_worker(found: ApiWorker) -> None:
    """Print a worker."""
    table.sheet(face.sheet(found))
    if found.claims:
        click.echo()
        table.show(face.CLAIM, found.claims, nothing="")


async def order(muster: Remote, name: str, verb: str, reason: str | None) -> None:
    """Give an order about a worker and say how it stands now."""
    body = await muster.service.post(path_of("workers", name, verb), {"reason": reason})
    muster.print_answer(body, ApiWorker, lambda found: click.echo(f"worker {line(found.worker)} is {found.state}"))


@worker.command()
@worker_argument
@reasoned
@remote
async def drain(muster: Remote, name: str, reason: str | None) -> None:
    """Give a worker nothing more; what it holds it finishes."""
    await order(muster, name, "drain", reason)


@worker.command()
@worker_argument
@reasoned
@click.option("--yes", is_flag=True, help="Do not ask.")
@remote
async def fence(muster: Remote, name: str, reason: str | None, *, yes: bool) -> None:
    """Revoke a worker's claims at once, neutrally, and give it nothing more."""
    agreed(f"Fence worker {line(name)} and take its units away?", yes=yes)
    await order(muster, name, "fence", reason)
