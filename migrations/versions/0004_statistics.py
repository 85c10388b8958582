"""Statistics for tables that are still empty, so that the planner uses their indexes from the start.

Without statistics it takes `shard = 0` for one row in two hundred, and reads every unit of the shard, or every claim, to find
a hundred by their keys; and the first analysis comes long after the first import, never while `claims` is empty. Statistics
outlive the rows they were made of: a few rows of the usual shape are laid, analysed and taken away again.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SHAPES = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM units) THEN
        INSERT INTO units (
            shard, campaign, key, state, grp, priority, seq, payload, kind, attempts, parks, claims, waits_for, dependents,
            settled, updated_at
        )
        SELECT
            0, 'campaign-' || n % 10, 'unit-' || n, (ARRAY['done', 'ready', 'running', 'delayed', 'parked'])[1 + n % 5],
            99, 0, n, '{}', 'unit', 0, 0, 0, 0, 0, false, now()
        FROM generate_series(1, 10000) AS n;
        ANALYZE units;
        TRUNCATE units;
    END IF;
    IF NOT EXISTS (SELECT FROM claims) THEN
        INSERT INTO claims (
            shard, token, campaign, unit, worker, fence, attempt, mode, claimed_at, lease_s, lease_until, beat_at, idle_count
        )
        SELECT
            0, 'token-' || n, 'campaign-' || n % 10, 'unit-' || n, 'worker-' || n % 100, n, 1, 'auto', now(), 300, now(), now(), 0
        FROM generate_series(1, 10000) AS n;
        ANALYZE claims;
        TRUNCATE claims;
    END IF;
    IF NOT EXISTS (SELECT FROM dependencies) THEN
        INSERT INTO dependencies (shard, campaign, parent, child)
        SELECT 0, 'campaign-' || n % 10, 'unit-' || n / 20, 'unit-' || n
        FROM generate_series(1, 10000) AS n;
        ANALYZE dependencies;
        TRUNCATE dependencies;
    END IF;
    IF NOT EXISTS (SELECT FROM idempotency) THEN
        INSERT INTO idempotency (shard, key, digest, position, recorded_at)
        SELECT 0, 'key-' || n, '', n, now() - make_interval(secs => n)
        FROM generate_series(1, 10000) AS n;
        ANALYZE idempotency;
        TRUNCATE idempotency;
    END IF;
END $$;
"""


def upgrade() -> None:
    """Set the statistics."""
    op.execute(SHAPES)


def downgrade() -> None:
    """Keep the statistics; they do no harm."""
