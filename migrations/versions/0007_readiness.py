"""When a unit first became ready: the beginning of the time that its end is counted with.

Units from before have none until `muster rebuild`.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give every unit room for it; no row is rewritten."""
    op.execute("ALTER TABLE units ADD COLUMN first_ready_at timestamptz")


def downgrade() -> None:
    """Take the room away; the log has everything that was in it."""
    op.execute("ALTER TABLE units DROP COLUMN first_ready_at")
