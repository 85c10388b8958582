"""`python -m ops.demo.night`: run the night against the Muster at MUSTER_URL."""

import sys
from datetime import datetime

import click

from ops.demo.muster import DemoError, Muster
from ops.demo.night.run import night


@click.command()
@click.option("--name", help="Campaign to begin  [default: night-<time>]")
@click.option("--url", envvar="MUSTER_URL", default="http://127.0.0.1:8110", show_default=True)
def main(name: str | None, url: str) -> None:
    """Let a bad night pass in about a minute; ends with 1 when anything is unaccounted for."""
    try:
        with Muster(url) as muster:
            sys.exit(0 if night(muster, name or f"night-{datetime.now().astimezone():%Y%m%d-%H%M%S}") else 1)
    except DemoError as error:
        raise click.ClickException(str(error)) from error


main()
