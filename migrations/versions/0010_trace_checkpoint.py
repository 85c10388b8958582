"""The position up to which traces were sent, so that the next leader continues there."""

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
    """Create the checkpoint."""
    run(CHECKPOINT)


def downgrade() -> None:
    """Drop it; nothing else refers to it."""
    op.execute("DROP TABLE trace_checkpoint")
