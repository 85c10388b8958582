"""`muster engine …`: show and steer the whole installation over the API."""

import click

from service.cli.client.remote import Remote, example, remote, with_reason
from service.client.api_types import ApiEngine
from service.client.http_client import path_of
from service.terminal.render import engine as engine_render
from service.terminal.render import table

PATH = path_of("engine")


@click.group()
@example("muster engine show", 'muster engine pause --reason "maintenance"', "muster engine resize 64")
def engine() -> None:
    """See and steer the whole installation: its pause switch and its pool."""


@engine.command()
@remote
async def show(muster: Remote) -> None:
    """Show the engine, its pool and its quotas."""
    muster.print_answer(await muster.service.get(PATH), ApiEngine, print_engine)


def print_engine(answer: ApiEngine) -> None:
    """Print the engine."""
    table.show_details(engine_render.details(answer))
    if answer.quotas:
        click.echo()
        table.show_table(engine_render.QUOTAS, answer.quotas, nothing="")


def print_state(muster: Remote, body: bytes) -> None:
    """Print the state of the engine after a command."""
    muster.print_answer(
        body,
        ApiEngine,
        lambda answer: click.echo(f"the engine is {answer.state}, {answer.pool.in_use:,} of {answer.pool.size:,} slots in use"),
    )


@engine.command()
@with_reason
@remote
async def pause(muster: Remote, reason: str | None) -> None:
    """Stop every claim; running work goes on."""
    print_state(muster, await muster.service.post(f"{PATH}/pause", {"reason": reason}))


@engine.command()
@with_reason
@remote
async def resume(muster: Remote, reason: str | None) -> None:
    """Allow claims again."""
    print_state(muster, await muster.service.post(f"{PATH}/resume", {"reason": reason}))


@engine.command()
@click.argument("size", type=click.IntRange(0, 1_000_000))
@remote
async def resize(muster: Remote, size: int) -> None:
    """Set the number of slots; what runs above it goes on."""
    print_state(muster, await muster.service.patch(PATH, {"pool_size": size}))


@engine.command()
@click.option("--force", is_flag=True, help="Open every gate first.")
@remote
@example("muster engine tick --force")
async def tick(muster: Remote, *, force: bool) -> None:
    """Sweep now: everything whose time has come goes on."""
    print_state(muster, await muster.service.post(f"{PATH}/tick", {"force": force}))
