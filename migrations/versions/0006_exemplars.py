"""What a histogram keeps beside its buckets: the newest observation of each, and counts by powers of two.

Views that the log was folded into before have none until `muster rebuild`.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column for each; no row is rewritten."""
    op.execute("ALTER TABLE series ADD COLUMN exemplars jsonb, ADD COLUMN exponential jsonb")


def downgrade() -> None:
    """Drop the columns; the log holds everything that was in them."""
    op.execute("ALTER TABLE series DROP COLUMN exemplars, DROP COLUMN exponential")
