"""`muster unit …`: show and steer the units of a campaign over the API."""

from typing import Any, BinaryIO

import click

from service.cli.client.completion import campaigns, units
from service.cli.client.ndjson_upload import import_result, upload_units
from service.cli.client.remote import Remote, confirm, example, print_next_page, remote, with_paging, with_reason
from service.cli.option import instant_of
from service.client.api_types import UNIT_STATES, ApiExplanation, ApiPage, ApiUnit, ApiUnitRow
from service.client.http_client import path_of
from service.terminal.formatting import one_line
from service.terminal.render import table
from service.terminal.render import unit as unit_render

of_campaign = click.argument("campaign", shell_complete=campaigns)
key_argument = click.argument("key", shell_complete=units)


@click.group()
@example(
    "muster unit list nightly --state quarantined", "muster unit explain nightly src/a.py", "muster unit retry nightly src/a.py"
)
def unit() -> None:
    """See and steer the units of a campaign."""


@unit.command("list")
@of_campaign
@click.option("--state", type=click.Choice(UNIT_STATES), help="Only those in this state.")
@click.option("--group", type=int, help="Only those of this group.")
@click.option("--wave", type=int, help="Only those of this wave.")
@click.option("--q", metavar="TEXT", help="Only those with this text in their key.")
@with_paging
@remote
@example("muster unit list nightly --state running --json | jq -r '.items[].key'")
async def list_units(muster: Remote, campaign: str, **query: Any) -> None:  # noqa: ANN401 - as click gives them
    """List units by key."""
    muster.print_answer(
        await muster.service.get(path_of("campaigns", campaign, "units"), query), ApiPage[ApiUnitRow], print_units
    )


def print_units(page: ApiPage[ApiUnitRow]) -> None:
    """Print units."""
    table.show_table(unit_render.LIST, page.items, nothing="no units")
    print_next_page(page.next)


@unit.command()
@of_campaign
@key_argument
@remote
@example("muster unit show nightly src/a.py")
async def show(muster: Remote, campaign: str, key: str) -> None:
    """Show one unit with its attempts and its last screen."""
    muster.print_answer(await muster.service.get(path_of("campaigns", campaign, "units", key)), ApiUnit, print_unit)


def print_unit(answer: ApiUnit) -> None:
    """Print a unit."""
    table.show_details(unit_render.details(answer))
    if answer.history:
        click.echo()
        table.show_table(unit_render.ATTEMPT, answer.history, nothing="")
    if answer.screen:
        click.echo(
            "\n".join(["", "last screen:", *(f"  {text}".rstrip() for text in unit_render.last_screen_lines(answer.screen))])
        )


@unit.command()
@of_campaign
@key_argument
@remote
@example("muster unit explain nightly src/a.py")
async def explain(muster: Remote, campaign: str, key: str) -> None:
    """Say why a unit is not running: everything in its way, and when that clears."""
    body = await muster.service.get(path_of("campaigns", campaign, "units", key, "explain"))
    muster.print_answer(body, ApiExplanation, print_explanation)


def print_explanation(answer: ApiExplanation) -> None:
    """Print what keeps a unit from running."""
    way = "nothing stands in its way: the next claim may take it" if answer.claimable else "in its way:"
    click.echo(f"unit {one_line(answer.key)} is {answer.state}; {way}")
    if answer.blockers:
        table.show_table(unit_render.BLOCKER, answer.blockers, nothing="")


@unit.command()
@of_campaign
@click.argument("file", type=click.File("rb"))
@remote
@example('echo \'{"key": "src/a.py", "payload": {"path": "src/a.py"}}\' | muster unit add nightly -')
async def add(muster: Remote, campaign: str, file: BinaryIO) -> None:
    """Add units from FILE, one JSON document a line, streamed; - is standard input.

    An existing unit takes the new payload if it has not started; otherwise it does not change.
    """
    body = await upload_units(muster.service, campaign, file)
    click.echo(body if muster.json else import_result(body))


async def send_command(muster: Remote, campaign: str, key: str, verb: str, **members: str | None) -> None:
    """Send a command about a unit and print its new state."""
    body = await muster.service.post(path_of("campaigns", campaign, "units", key, verb), members)
    muster.print_answer(
        body, ApiUnit, lambda answer: click.echo(f"unit {one_line(answer.key)} is {answer.state}{until_text(answer)}")
    )


def until_text(answer: ApiUnit) -> str:
    """Return until when a unit waits, as the end of a sentence."""
    return "" if (when := unit_render.waiting_until(answer)) == "-" else f" until {when}"


@unit.command()
@of_campaign
@key_argument
@with_reason
@remote
async def retry(muster: Remote, campaign: str, key: str, reason: str | None) -> None:
    """Send a quarantined unit back to work, or end the rest of a delayed one."""
    await send_command(muster, campaign, key, "retry", reason=reason)


@unit.command()
@of_campaign
@key_argument
@click.option("--until", "resume_at", metavar="TIME", callback=instant_of, help="A span such as 30m, or a time  [default: 1h]")
@with_reason
@remote
@example("muster unit park nightly src/a.py --until 30m")
async def park(muster: Remote, campaign: str, key: str, resume_at: str | None, reason: str | None) -> None:
    """Set a unit aside until a time; nothing is counted."""
    await send_command(muster, campaign, key, "park", resume_at=resume_at, reason=reason)


@unit.command()
@of_campaign
@key_argument
@with_reason
@remote
async def unpark(muster: Remote, campaign: str, key: str, reason: str | None) -> None:
    """End the pause of a unit now."""
    await send_command(muster, campaign, key, "unpark", reason=reason)


@unit.command()
@of_campaign
@key_argument
@with_reason
@remote
async def quarantine(muster: Remote, campaign: str, key: str, reason: str | None) -> None:
    """Take a unit out until somebody retries it; what depends on it is skipped."""
    await send_command(muster, campaign, key, "quarantine", reason=reason)


@unit.command()
@of_campaign
@key_argument
@with_reason
@click.option("--yes", is_flag=True, help="Do not ask.")
@remote
async def cancel(muster: Remote, campaign: str, key: str, reason: str | None, *, yes: bool) -> None:
    """Give a unit up for good; what depends on it is skipped."""
    confirm(f"Cancel unit {one_line(key)} for good?", yes=yes)
    await send_command(muster, campaign, key, "cancel", reason=reason)


@unit.command()
@of_campaign
@key_argument
@with_reason
@remote
async def stop(muster: Remote, campaign: str, key: str, reason: str | None) -> None:
    """Take a unit from its worker, neutrally: it is ready again."""
    await send_command(muster, campaign, key, "stop", reason=reason)
