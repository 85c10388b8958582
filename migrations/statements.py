"""Run blocks of several SQL statements in a migration."""

from alembic import op


def run(block: str) -> None:
    """Execute several statements at once, which SQLAlchemy's prepared statements cannot."""
    bare = op.get_bind().connection.dbapi_connection
    assert bare is not None, "a migration runs on a connection"
    bare.run_async(lambda connection: connection.execute(block))
