"""When a unit first became ready, from which the time to its end is measured.

Units from before have none until `muster rebuild`.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; no row is rewritten."""
    op.execute("ALTER TABLE units ADD COLUMN first_ready_at timestamptz")


def downgrade() -> None:
    """Drop the columns; the log holds everything that was in them."""
    op.execute("ALTER TABLE units DROP COLUMN first_ready_at")
