"""`muster worker …`: show and steer workers over the API."""

import click

from service.cli.client.completion import campaigns, workers
from service.cli.client.remote import Remote, confirm, example, print_next_page, remote, with_paging, with_reason
from service.client.api_types import ApiPage, ApiWorker
from service.client.http_client import path_of
from service.terminal.formatting import one_line
from service.terminal.render import table
from service.terminal.render import worker as worker_render

LEVELS = ("healthy", "warn", "stale", "dead")
worker_argument = click.argument("name", shell_complete=workers)


@click.group()
@example("muster worker list --level stale", 'muster worker drain w-1 --reason "the machine goes down"')
def worker() -> None:
    """See and steer workers."""


@worker.command("list")
@click.option("--level", type=click.Choice(LEVELS), help="Only those with heartbeats of this level.")
@click.option("--campaign", shell_complete=campaigns, help="Only those that hold a claim of it.")
@with_paging
@remote
async def list_workers(muster: Remote, level: str | None, campaign: str | None, limit: int, cursor: str | None) -> None:
    """List workers."""
    query = {"level": level, "campaign": campaign, "limit": limit, "cursor": cursor}
    muster.print_answer(await muster.service.get(path_of("workers"), query), ApiPage[ApiWorker], print_workers)


def print_workers(page: ApiPage[ApiWorker]) -> None:
    """Print workers."""
    table.show_table(worker_render.LIST, page.items, nothing="no workers")
    print_next_page(page.next)


@worker.command()
@worker_argument
@remote
async def show(muster: Remote, name: str) -> None:
    """Show one worker and the units that it has claimed."""
    muster.print_answer(await muster.service.get(path_of("workers", name)), ApiWorker, print_worker)


def print_worker(answer: ApiWorker) -> None:
    """Print a worker."""
    table.show_details(worker_render.details(answer))
    if answer.claims:
        click.echo()
        table.show_table(worker_render.CLAIM, answer.claims, nothing="")


async def send_command(muster: Remote, name: str, verb: str, reason: str | None) -> None:
    """Send a command about a worker and print its new state."""
    body = await muster.service.post(path_of("workers", name, verb), {"reason": reason})
    muster.print_answer(body, ApiWorker, lambda answer: click.echo(f"worker {one_line(answer.worker)} is {answer.state}"))


@worker.command()
@worker_argument
@with_reason
@remote
async def drain(muster: Remote, name: str, reason: str | None) -> None:
    """Give a worker nothing more; what it holds it finishes."""
    await send_command(muster, name, "drain", reason)


@worker.command()
@worker_argument
@with_reason
@click.option("--yes", is_flag=True, help="Do not ask.")
@remote
async def fence(muster: Remote, name: str, reason: str | None, *, yes: bool) -> None:
    """Revoke a worker's claims at once, neutrally, and give it nothing more."""
    confirm(f"Fence worker {one_line(name)} and take its units away?", yes=yes)
    await send_command(muster, name, "fence", reason)
