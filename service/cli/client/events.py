"""`muster events`: read the log, or follow it."""

import click

from service.cli.client.completion import campaigns
from service.cli.client.remote import Remote, example, remote
from service.client import event_stream
from service.client.api_types import ApiEvent, ApiPage
from service.client.errors import AwayError
from service.client.http_client import Query, decoded, path_of
from service.terminal.formatting import one_line
from service.terminal.render import event as event_render
from service.terminal.render import table


@click.command()
@click.option("--follow", "-f", is_flag=True, help="Go on with what comes, through every restart of the service.")
@click.option("--after", type=click.IntRange(0), metavar="POSITION", help="Begin after this position of the log.")
@click.option("--campaign", shell_complete=campaigns, help="Only those of this campaign.")
@click.option("--unit", metavar="KEY", help="Only those of this unit.")
@click.option("--worker", help="Only those of this worker.")
@click.option("--kind", multiple=True, help="Only those of this kind, such as unit.quarantined; repeat for several.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="How many at most, without --follow.")
@remote
@example(
    "muster events --campaign nightly --kind unit.quarantined",
    "muster events --follow --json | jq -r 'select(.kind == \"unit.completed\") | .unit'",
)
async def events(muster: Remote, after: int | None, limit: int, *, follow: bool, **filters: str | tuple[str, ...] | None) -> None:
    """Read the log, or follow it.

    Without --after it shows the last events, or with a filter the first ones of the log; with --follow
    it starts now. With --json and --follow, every line is one event.
    """
    if follow:
        await print_followed(muster, await event_stream.head(muster.service) if after is None else after, filters)
        return
    if after is None:
        after = 0 if any(filters.values()) else max(await event_stream.head(muster.service) - limit, 0)
    body = await muster.service.get(path_of("events"), {"after": after, "limit": limit, **filters})
    muster.print_answer(body, ApiPage[ApiEvent], print_events)


def print_events(page: ApiPage[ApiEvent]) -> None:
    """Print events."""
    table.show_table(event_render.LIST, page.items, nothing="no events")
    if page.next is not None:
        click.echo(f"there are more: --after {page.next}", err=True)


async def print_followed(muster: Remote, after: int, filters: Query) -> None:
    """Print events as they are recorded; stderr says once when the connection is lost and once when it is back."""
    away = False

    def on_connection(loss: AwayError | None) -> None:
        nonlocal away
        if loss is not None and not away:
            click.echo(f"{one_line(str(loss))}; trying again", err=True)
        elif loss is None and away:
            click.echo("the service is back", err=True)
        away = loss is not None

    async for streamed in event_stream.follow(muster.service, after, filters, on_connection):
        click.echo(streamed.text if muster.json else event_render.event_line(decoded(streamed.text, ApiEvent)))
