"""`muster config`: the settings that a process started here would use."""

import os

import click

from service.settings import Settings


@click.command()
def config() -> None:
    """Print every setting with its value and meaning, secrets masked."""
    for line in Settings.read(os.environ).lines():
        click.echo(line)
