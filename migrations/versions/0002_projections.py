"""What the projector folds: cards and series, in generations, with the position that they are true for."""

from alembic import op

from migrations.statements import run

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PROJECTIONS = """
CREATE TABLE checkpoint (
    shard integer NOT NULL,
    generation integer NOT NULL,
    position bigint NOT NULL CONSTRAINT checkpoint_is_in_the_log CHECK (position >= 0),
    recorded_at timestamptz,
    live boolean NOT NULL,
    PRIMARY KEY (shard, generation)
) WITH (fillfactor = 20);
CREATE UNIQUE INDEX one_generation_is_live ON checkpoint (shard) WHERE live;
INSERT INTO checkpoint (shard, generation, position, live) VALUES (0, 1, 0, true);

CREATE TABLE engine_card (
    shard integer NOT NULL,
    generation integer NOT NULL,
    card jsonb NOT NULL,
    PRIMARY KEY (shard, generation)
) WITH (fillfactor = 50);

CREATE TABLE campaign_card (
    shard integer NOT NULL,
    generation integer NOT NULL,
    campaign text NOT NULL,
    state text NOT NULL,
    labels jsonb NOT NULL,
    card jsonb NOT NULL,
    PRIMARY KEY (shard, generation, campaign)
) WITH (fillfactor = 50);

CREATE TABLE worker_card (
    shard integer NOT NULL,
    generation integer NOT NULL,
    worker text NOT NULL,
    card jsonb NOT NULL,
    PRIMARY KEY (shard, generation, worker)
) WITH (fillfactor = 50);

CREATE TABLE quota_card (
    shard integer NOT NULL,
    generation integer NOT NULL,
    quota text NOT NULL,
    card jsonb NOT NULL,
    PRIMARY KEY (shard, generation, quota)
) WITH (fillfactor = 50);

CREATE TABLE quarantine_card (
    shard integer NOT NULL,
    generation integer NOT NULL,
    campaign text NOT NULL,
    unit text NOT NULL,
    card jsonb NOT NULL,
    PRIMARY KEY (shard, generation, campaign, unit)
);

CREATE TABLE series (
    shard integer NOT NULL,
    generation integer NOT NULL,
    family text NOT NULL,
    labels text[] NOT NULL,
    value bigint NOT NULL,
    sum_us bigint NOT NULL,
    buckets bigint[] NOT NULL,
    created_at timestamptz NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (shard, generation, family, labels)
) WITH (fillfactor = 50);

GRANT SELECT, INSERT, UPDATE, DELETE
    ON checkpoint, engine_card, campaign_card, worker_card, quota_card, quarantine_card, series
    TO muster_service;
"""


def upgrade() -> None:
    """Create the cards, the series and their checkpoint."""
    run(PROJECTIONS)


def downgrade() -> None:
    """Drop them; the log holds everything that they say."""
    op.execute("DROP TABLE series, quarantine_card, quota_card, worker_card, campaign_card, engine_card, checkpoint")
