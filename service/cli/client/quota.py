"""`muster quota …`: show quotas over the API."""

import click

from service.cli.client.completion import quotas
from service.cli.client.remote import Remote, example, print_next_page, remote, with_paging
from service.client.api_types import ApiPage, ApiQuota
from service.client.http_client import path_of
from service.terminal.render import engine as engine_render
from service.terminal.render import table


@click.group()
@example("muster quota list", "muster quota show anthropic --json | jq .resume_at")
def quota() -> None:
    """See quotas: whose gate is closed, why, and until when."""


@quota.command("list")
@with_paging
@remote
async def list_quotas(muster: Remote, limit: int, cursor: str | None) -> None:
    """List quotas."""
    muster.print_answer(
        await muster.service.get(path_of("quotas"), {"limit": limit, "cursor": cursor}), ApiPage[ApiQuota], print_quotas
    )


def print_quotas(page: ApiPage[ApiQuota]) -> None:
    """Print quotas."""
    table.show_table(engine_render.QUOTAS, page.items, nothing="no quotas")
    print_next_page(page.next)


@quota.command()
@click.argument("key", shell_complete=quotas)
@remote
async def show(muster: Remote, key: str) -> None:
    """Show one quota."""
    body = await muster.service.get(path_of("quotas", key))
    muster.print_answer(body, ApiQuota, lambda answer: table.show_details(engine_render.quota_details(answer)))
