"""Spreads: how far the end of a unit with many dependents has reached them, in rounds."""

from alembic import op

from migrations.statements import run

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SPREADS = """
CREATE TABLE spreads (
    shard integer NOT NULL,
    campaign text NOT NULL,
    unit text NOT NULL,
    position bigint NOT NULL,
    begun_at timestamptz NOT NULL,
    counted boolean NOT NULL,
    path text[] NOT NULL,
    after text,
    PRIMARY KEY (shard, campaign, unit)
) WITH (fillfactor = 50);

ALTER TABLE campaigns ADD COLUMN spreading integer NOT NULL DEFAULT 0;

GRANT SELECT, INSERT, UPDATE, DELETE ON spreads TO muster_service;
"""


def upgrade() -> None:
    """Create the table, and the count of a campaign; no row is rewritten."""
    run(SPREADS)


def downgrade() -> None:
    """Drop them; the log holds everything that they say."""
    op.execute("DROP TABLE spreads")
    op.execute("ALTER TABLE campaigns DROP COLUMN spreading")
