"""The way back of a schema, which no operator goes: an older Muster starts from a backup."""

from alembic import command

from service.store.db.migration import alembic_config


def downgrade(dsn: str, revision: str = "base") -> None:
    """Bring the schema down to *revision*; no event loop may run in this thread."""
    command.downgrade(alembic_config(dsn), revision)
