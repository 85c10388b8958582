"""`muster migrate`: bring a database to the schema of this Muster."""

import click

from service.cli.database import with_database
from service.settings import Settings
from service.store import schema


@click.command()
@with_database
def migrate(settings: Settings) -> None:
    """Bring the schema up to date; a second deployer waits for the first."""
    schema.migrate(settings.dsn)
    click.echo(f"The schema is at {schema.head()}.")
