"""`muster migrate`: bring a database to the schema of this Muster."""

import click

from service.cli.server.database import answering, with_address
from service.settings import Settings
from service.store.db import migration
from service.store.db.schema import head


@click.command()
@with_address
def migrate(settings: Settings) -> None:
    """Bring the schema up to date; a second deployer waits for the first."""
    with answering(settings.dsn):
        migration.migrate(settings.dsn)
    click.echo(f"The schema is at {head()}.")
