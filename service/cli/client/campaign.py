"""`muster campaign …`: show and steer campaigns over the API."""

from typing import TextIO

import click

from service.cli.client.campaign_create import create
from service.cli.client.completion import campaigns
from service.cli.client.remote import Remote, confirm, example, print_next_page, remote, with_paging, with_reason
from service.client.api_types import ApiBulkRetry, ApiCampaign, ApiPage
from service.client.http_client import path_of
from service.terminal.formatting import one_line, plural
from service.terminal.render import campaign as campaign_render
from service.terminal.render import table

STATES = ("running", "paused", "completed", "cancelled")
REASONS = ("max_attempts", "not_retryable", "heartbeat_dead", "manual", "max_claims")
name_argument = click.argument("name", shell_complete=campaigns)


@click.group()
@example(
    "muster campaign list --state running",
    "muster campaign create nightly.json --units units.ndjson --wait",
    "muster campaign show nightly --json | jq .units",
)
def campaign() -> None:
    """See and steer campaigns."""


campaign.add_command(create)


@campaign.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@click.option("--label", multiple=True, metavar="NAME[=VALUE]", help="Only those with this label; repeat for several.")
@with_paging
@remote
@example("muster campaign list --state running --label team=core")
async def list_campaigns(muster: Remote, state: str | None, label: tuple[str, ...], limit: int, cursor: str | None) -> None:
    """List campaigns."""
    query = {"state": state, "label": label, "limit": limit, "cursor": cursor}
    muster.print_answer(await muster.service.get(path_of("campaigns"), query), ApiPage[ApiCampaign], print_campaigns)


def print_campaigns(page: ApiPage[ApiCampaign]) -> None:
    """Print campaigns."""
    table.show_table(campaign_render.LIST, page.items, nothing="no campaigns")
    print_next_page(page.next)


@campaign.command()
@name_argument
@remote
@example("muster campaign show nightly")
async def show(muster: Remote, name: str) -> None:
    """Show one campaign."""
    muster.print_answer(
        await muster.service.get(path_of("campaigns", name)),
        ApiCampaign,
        lambda answer: table.show_details(campaign_render.details(answer)),
    )


async def switch(muster: Remote, name: str, path: str, reason: str | None) -> None:
    """Send a command to *path* of a campaign and print its new state."""
    body = await muster.service.post(f"{path_of('campaigns', name)}/{path}", {"reason": reason})
    muster.print_answer(body, ApiCampaign, lambda answer: click.echo(f"campaign {one_line(answer.name)} is {answer.state}"))


@campaign.command()
@name_argument
@with_reason
@remote
@example('muster campaign pause nightly --reason "the tests are red"')
async def pause(muster: Remote, name: str, reason: str | None) -> None:
    """Stop new automatic claims; running work goes on."""
    await switch(muster, name, "pause", reason)


@campaign.command()
@name_argument
@with_reason
@remote
async def resume(muster: Remote, name: str, reason: str | None) -> None:
    """Allow automatic claims again."""
    await switch(muster, name, "resume", reason)


@campaign.command()
@name_argument
@with_reason
@click.option("--yes", is_flag=True, help="Do not ask.")
@remote
@example('muster campaign cancel nightly --reason "wrong brief" --yes')
async def cancel(muster: Remote, name: str, reason: str | None, *, yes: bool) -> None:
    """Cancel a campaign: units that are not final are cancelled, and their workers stop."""
    confirm(f"Cancel campaign {one_line(name)} and everything in it that is not final?", yes=yes)
    await switch(muster, name, "cancel", reason)


@campaign.command()
@name_argument
@with_reason
@remote
async def reset(muster: Remote, name: str, reason: str | None) -> None:
    """Reset the breaker: count failures from zero and let claims through again."""
    await switch(muster, name, "breaker/reset", reason)


@campaign.command()
@name_argument
@with_reason
@click.option("--of", "failed", type=click.Choice(REASONS), help="Only those quarantined for this reason.")
@click.option("--error", metavar="GLOB", help="Only those whose whole error matches; knows * and ?.")
@click.option("--brief", type=click.File(), help="Reload the brief from this file; - is standard input.")
@click.option("--dry-run", is_flag=True, help="Only count.")
@remote
@example("muster campaign retry nightly --dry-run", 'muster campaign retry nightly --error "*connection reset*"')
async def retry(
    muster: Remote, name: str, reason: str | None, failed: str | None, error: str | None, brief: TextIO | None, *, dry_run: bool
) -> None:
    """Send quarantined units back to work, their attempts at zero."""
    where = {key: value for key, value in (("reason", failed), ("error_glob", error)) if value is not None}
    text = None if brief is None else brief.read()
    body = {"reason": reason, "where": where or None, "reload_brief": text, "dry_run": dry_run or None}
    answer = await muster.service.post(f"{path_of('campaigns', name)}/retry-failed", body)
    muster.print_answer(answer, ApiBulkRetry, lambda did: click.echo(retry_result(did, dry_run=dry_run)))


def retry_result(did: ApiBulkRetry, *, dry_run: bool) -> str:
    """Return what a bulk retry did, or would do, as a sentence."""
    if dry_run:
        return f"{plural(did.matched, 'quarantined unit')} would be retried"
    return f"{did.cleared:,} of {plural(did.matched, 'quarantined unit')} back to work"
