"""Investigations of quarantined units, recovery plans, and when a campaign's last bundle was taken."""

from alembic import op

from migrations.statements import run

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INQUIRIES = """
CREATE TABLE investigations (
    shard integer NOT NULL,
    id text NOT NULL,
    campaign text NOT NULL,
    unit text NOT NULL,
    position bigint NOT NULL,
    state text NOT NULL,
    reason text,
    attempts integer NOT NULL,
    error text,
    exit_code integer,
    screen_id text,
    requested_at timestamptz NOT NULL,
    token text,
    worker text,
    claimed_at timestamptz,
    until timestamptz CONSTRAINT claimed_has_an_end CHECK (state <> 'claimed' OR until IS NOT NULL),
    ended_at timestamptz,
    fix_unit text,
    root_cause text,
    why text,
    PRIMARY KEY (shard, id)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX investigations_in_order ON investigations (shard, position);
CREATE UNIQUE INDEX unit_has_one_investigation ON investigations (shard, campaign, unit) WHERE state IN ('requested', 'claimed');
CREATE INDEX investigations_waiting ON investigations (shard, campaign, position) WHERE state = 'requested';
CREATE INDEX investigations_claimed ON investigations (shard, until) WHERE state = 'claimed';

CREATE TABLE recoveries (
    shard integer NOT NULL,
    id text NOT NULL,
    campaign text NOT NULL,
    resumable text[] NOT NULL,
    preserved integer NOT NULL,
    last_position bigint NOT NULL,
    state text NOT NULL,
    detected_at timestamptz NOT NULL,
    ended_at timestamptz,
    by text,
    PRIMARY KEY (shard, id)
);
CREATE UNIQUE INDEX campaign_has_one_plan ON recoveries (shard, campaign) WHERE state = 'open';

ALTER TABLE campaigns ADD COLUMN exported_at timestamptz;

GRANT SELECT, INSERT, UPDATE, DELETE ON investigations, recoveries TO muster_service;
"""


def upgrade() -> None:
    """Create the tables and the column."""
    run(INQUIRIES)


def downgrade() -> None:
    """Drop them; the log holds everything that they say."""
    op.execute("DROP TABLE recoveries, investigations")
    op.execute("ALTER TABLE campaigns DROP COLUMN exported_at")
