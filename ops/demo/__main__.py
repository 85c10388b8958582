"""`python -m ops.demo [NAME]`: run the demo against the Muster at MUSTER_URL."""

import sys
from datetime import datetime

import click

from ops.demo.compile_stdlib import LABEL, demonstrate
from ops.demo.muster import DemoError, Muster


@click.command()
@click.option("--name", help="Campaign to begin, or to go on with  [default: the demo that has not ended, else stdlib-<time>]")
@click.option("--url", envvar="MUSTER_URL", default="http://127.0.0.1:8110", show_default=True)
@click.option("--limit", type=click.IntRange(1), help="Only the first so many units.")
def demo(name: str | None, url: str, limit: int | None) -> None:
    """Compile the standard library with real workers; ends with 1 when anything is unaccounted for."""
    try:
        with Muster(url) as muster:
            campaign = name or muster.unfinished(LABEL) or f"stdlib-{datetime.now().astimezone():%Y%m%d-%H%M%S}"
            sys.exit(0 if demonstrate(muster, campaign, limit) else 1)
    except DemoError as error:
        raise click.ClickException(str(error)) from error


demo()
