"""How far traces were sent, so that another leader goes on where the last one was."""

from alembic import op

from migrations.statements import run

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

CHECKPOINT = """
CREATE TABLE trace_checkpoint (
    shard integer PRIMARY KEY,
    position bigint NOT NULL CONSTRAINT checkpoint_is_in_the_log CHECK (position >= 0)
) WITH (fillfactor = 20);
GRANT SELECT, INSERT, UPDATE ON trace_checkpoint TO muster_service;
"""


def upgrade() -> None:
    """Lay the checkpoint."""
    run(CHECKPOINT)


def downgrade() -> None:
    """Take it away; nothing else knew it."""
    op.execute("DROP TABLE trace_checkpoint")
