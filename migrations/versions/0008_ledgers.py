"""Ledgers: marks from which any instant of a campaign is counted, the silences of dead workers, the groups of units."""

from alembic import op

from migrations.statements import run

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

LEDGERS = """
CREATE TABLE ledger_mark (
    shard integer NOT NULL,
    generation integer NOT NULL,
    campaign text NOT NULL,
    at_us bigint NOT NULL,
    position bigint NOT NULL,
    mark jsonb NOT NULL,
    PRIMARY KEY (shard, generation, campaign, at_us, position)
);

CREATE TABLE silence (
    shard integer NOT NULL,
    generation integer NOT NULL,
    campaign text NOT NULL,
    at_us bigint NOT NULL,
    position bigint NOT NULL,
    since_us bigint NOT NULL CONSTRAINT silence_lasts CHECK (since_us < at_us),
    total_us bigint NOT NULL,
    PRIMARY KEY (shard, generation, campaign, at_us, position)
);

CREATE TABLE unit_group (
    shard integer NOT NULL,
    generation integer NOT NULL,
    campaign text NOT NULL,
    unit text NOT NULL,
    position bigint NOT NULL,
    grp integer NOT NULL,
    PRIMARY KEY (shard, generation, campaign, unit, position)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON ledger_mark, silence, unit_group TO muster_service;
"""


def upgrade() -> None:
    """Create the tables."""
    run(LEDGERS)


def downgrade() -> None:
    """Drop them; the log holds everything that they say."""
    op.execute("DROP TABLE ledger_mark, silence, unit_group")
