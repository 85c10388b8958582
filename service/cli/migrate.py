"""`muster migrate`: bring a database to the schema of this Muster."""

import click

from service.cli.database import with_address
from service.settings import Settings, masked
from service.store import migration
from service.store.pool import LOST
from service.store.schema import DatabaseAway, head


@click.command()
@with_address
def migrate(settings: Settings) -> None:
    """Bring the schema up to date; a second deployer waits for the first."""
    try:
        migration.migrate(settings.dsn)
    except LOST as error:
        raise DatabaseAway(f"{masked(settings.dsn)} does not answer: {error}") from error
    click.echo(f"The schema is at {head()}.")
