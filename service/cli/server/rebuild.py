"""`muster rebuild`: compute every table from the log again, or only look whether that would change anything."""

from functools import partial

import click
import msgspec
import uvloop

from projections.projector import LogBroken
from projections.rebuild import check as compare
from projections.rebuild import rebuild as compute
from service.cli.server.database import with_database
from service.settings import Settings
from service.store.log.codec import UnknownEvent
from service.submission import in_new_trace
from service.writer import within


@click.command()
@click.option("--check", is_flag=True, help="Change nothing: exit 1 and print the first difference, if there is one.")
@with_database
def rebuild(settings: Settings, *, check: bool) -> None:
    """Compute state, views and series from the log beside the live ones, and swap; the service may run meanwhile."""
    try:
        if check:
            compare_only(settings.dsn)
        else:
            compute_anew(settings.dsn)
    except (LogBroken, UnknownEvent, msgspec.MsgspecError) as broken:
        raise click.ClickException(f"the log cannot be folded: {broken}; `muster verify` says more") from broken


def compare_only(dsn: str) -> None:
    """Exit 1 at the first difference."""
    difference = uvloop.run(compare(dsn))
    if difference is not None:
        raise click.ClickException(difference.line())
    click.echo("Live and rebuilt are equal, row for row.")


def compute_anew(dsn: str) -> None:
    """Compute, swap, and say what came of it."""
    done = uvloop.run(compute(dsn, partial(within, origin=in_new_trace("rebuild"))))
    if done.difference is not None:
        click.echo(f"Mended: {done.difference.line()}")
    if done.lowered:
        click.echo(f"Smaller than before, and begun anew: {', '.join(done.lowered)}")
    rate = done.position / done.seconds
    click.echo(f"Rebuilt {done.position:,} events in {done.seconds:.1f} s ({rate:,.0f}/s); generation {done.generation} is live.")
