"""`muster campaign create`: a campaign from a file, from options, or from both, with its units streamed."""

import asyncio
import sys
from typing import Any, BinaryIO, TextIO

import click
import msgspec

from service.cli.client.ndjson_upload import import_result, upload_units
from service.cli.client.remote import ExitCode, Remote, example, remote
from service.cli.option import instant_of, labels_of, policy_of
from service.client.api_types import ApiCampaign, ApiImport
from service.client.errors import AwayError
from service.client.http_client import decoded, path_of
from service.terminal.formatting import one_line, percent
from service.terminal.render.campaign import done_of_total, headline

POLL_S = 1.0


@click.command()
@click.argument("file", type=click.File("rb"), required=False)
@click.option("--name", help="Its name, a slug.")
@click.option("--title", help="Its title.")
@click.option(
    "--units", type=click.File("rb"), metavar="FILE", help="Units, one JSON document a line, streamed; - is standard input."
)
@click.option("--policy", multiple=True, metavar="FIELD=VALUE", callback=policy_of, help="Such as max_attempts=2; repeat.")
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", callback=labels_of, help="Repeat for several.")
@click.option("--quota", help="The quota that its work uses up.")
@click.option("--brief", type=click.File(), metavar="FILE", help="The brief, from a file.")
@click.option("--deadline", metavar="TIME", callback=instant_of, help="2026-01-31T14:30, or a span from now such as 8h.")
@click.option("--auto/--no-auto", default=None, help="Whether workers may claim its units.")
@click.option("--wait", is_flag=True, help=f"Wait until it is over; exit {ExitCode.NOT_ACHIEVED:d} unless it was achieved.")
@remote
@example(
    "muster campaign create nightly.json --wait",
    "muster campaign create --name nightly --policy max_attempts=2 --units units.ndjson",
    "generate | muster campaign create --name nightly --units -",
)
async def create(
    muster: Remote,
    file: BinaryIO | None,
    units: BinaryIO | None,
    policy: dict[str, Any],
    labels: dict[str, str],
    brief: TextIO | None,
    *,
    wait: bool,
    **members: Any,  # noqa: ANN401 - as click gives them
) -> None:
    """Begin a campaign.

    FILE is the JSON that `POST /v1/campaigns` takes, - is standard input; options win over its members.
    """
    if file is not None and file is units:
        raise click.UsageError("FILE and --units cannot both be standard input")
    body = campaign_document(file) | {name: value for name, value in members.items() if value is not None}
    body["policy"] = merged(body.get("policy") or {}, policy)
    body["labels"] = (body.get("labels") or {}) | labels
    if brief is not None:
        body["brief"] = brief.read()
    if "name" not in body:
        raise click.UsageError('a campaign needs a name: --name NAME, or "name" in FILE')
    await create_and_wait(muster, body, units, wait=wait)


def campaign_document(file: BinaryIO | None) -> dict[str, Any]:
    """Return the JSON object in *file*, an empty one without a file.

    Raises:
        UsageError: the file holds no JSON object.

    """
    if file is None:
        return {}
    try:
        return msgspec.json.decode(file.read(), type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file.name} is not a campaign in JSON: {error}") from error


def merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Return *below* with the members of *above*, which win, merged at every depth.

    >>> merged({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}})
    {'a': {'b': 3, 'c': 2}}
    """
    result = dict(below)
    for name, value in above.items():
        current = result.get(name)
        result[name] = merged(current, value) if isinstance(current, dict) and isinstance(value, dict) else value
    return result


async def create_and_wait(muster: Remote, body: dict[str, Any], units: BinaryIO | None, *, wait: bool) -> None:
    """Create the campaign, add its units, with *wait* wait for its end, and print the last answer."""
    name, service = str(body["name"]), muster.service
    answer = await service.post(path_of("campaigns"), body)
    position = decoded(answer, ApiCampaign).position
    if units is not None:
        imported = await upload_units(service, name, units)
        click.echo(f"campaign {one_line(name)}: {import_result(imported)}", err=True)
        position = decoded(imported, ApiImport).position
        answer = await service.get(path_of("campaigns", name), {"at_least": position})
    if wait:
        answer = await wait_until_over(muster, name, position)
    muster.print_answer(
        answer,
        ApiCampaign,
        lambda answer: click.echo(f"campaign {one_line(answer.name)} is {headline(answer)}, {done_of_total(answer)} done"),
    )
    if wait and decoded(answer, ApiCampaign).outcome != "achieved":
        sys.exit(ExitCode.NOT_ACHIEVED)


async def wait_until_over(muster: Remote, name: str, position: int) -> bytes:
    """Return the campaign once it has ended, through outages of the service."""
    printed = ""
    while True:
        try:
            body = await muster.service.get(path_of("campaigns", name), {"at_least": position})
            campaign = decoded(body, ApiCampaign)
            if campaign.over:
                return body
            status = f"{percent(campaign.progress):>4}  {done_of_total(campaign)} done, {headline(campaign)}"
        except AwayError as error:
            status = f"{one_line(str(error))}; trying again"
        if status != printed:
            click.echo(status, err=True)
            printed = status
        await asyncio.sleep(POLL_S)
