"""The log, the state that decisions read, and the role of the service with its rights."""

from alembic import op

from migrations.statements import run

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

LOG = """
CREATE TABLE log_shard (shard integer PRIMARY KEY);
INSERT INTO log_shard (shard) VALUES (0);

CREATE TABLE events (
    shard integer NOT NULL,
    position bigint NOT NULL,
    kind text NOT NULL,
    schema smallint NOT NULL,
    campaign text,
    unit text,
    worker text,
    recorded_at timestamptz NOT NULL,
    correlation_id text,
    span_id text,
    causation text,
    actor text NOT NULL,
    data jsonb NOT NULL,
    CONSTRAINT events_have_one_place PRIMARY KEY (shard, position)
) PARTITION BY RANGE (position);
CREATE INDEX events_of_unit ON events (shard, campaign, unit, position) WHERE unit IS NOT NULL;
CREATE INDEX events_of_campaign ON events (shard, campaign, position);
CREATE INDEX events_of_kind ON events (shard, kind, position);

CREATE TABLE heartbeats (
    shard integer NOT NULL,
    position bigint NOT NULL,
    campaign text,
    unit text,
    worker text,
    recorded_at timestamptz NOT NULL,
    correlation_id text,
    span_id text,
    causation text,
    actor text NOT NULL,
    token text,
    progress double precision,
    note text,
    session text,
    idle boolean,
    alive boolean,
    output_at timestamptz,
    usage jsonb,
    screen_id text,
    CONSTRAINT heartbeats_have_one_place PRIMARY KEY (shard, position)
) PARTITION BY RANGE (position);
CREATE INDEX heartbeats_of_unit ON heartbeats (shard, campaign, unit, position) WHERE unit IS NOT NULL;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log is append-only: % on % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER events_are_facts BEFORE UPDATE OR DELETE ON events FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER heartbeats_are_facts BEFORE UPDATE OR DELETE ON heartbeats FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION extend_log(ahead_of bigint) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE
    span CONSTANT bigint := 2000000;
    spare CONSTANT integer := 3;
    number bigint;
    part text;
    parent text;
    made integer := 0;
BEGIN
    FOR number IN SELECT generate_series(ahead_of / span, ahead_of / span + spare) LOOP
        FOREACH parent IN ARRAY ARRAY['events', 'heartbeats'] LOOP
            part := format('%s_p%s', parent, lpad(number::text, 6, '0'));
            CONTINUE WHEN to_regclass(part) IS NOT NULL;
            -- Attached, not made in place: that would lock the parent against everyone who reads or appends.
            EXECUTE format('CREATE TABLE %I (LIKE %I)', part, parent);
            EXECUTE format(
                'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                parent, part, number * span, (number + 1) * span
            );
            EXECUTE format(
                'CREATE TRIGGER %I BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
                part || '_stays', part
            );
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;
REVOKE ALL ON FUNCTION extend_log(bigint) FROM PUBLIC;
SELECT extend_log(0);

CREATE TABLE screens (
    shard integer NOT NULL,
    screen_id text NOT NULL,
    text text NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (shard, screen_id)
);

CREATE TABLE idempotency (
    shard integer NOT NULL,
    key text NOT NULL,
    digest bytea NOT NULL,
    position bigint NOT NULL,
    status smallint,
    body bytea,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (shard, key)
);
CREATE INDEX idempotency_by_age ON idempotency (shard, recorded_at);
"""

STATE = """
CREATE TABLE engine (
    shard integer PRIMARY KEY,
    pool_size integer NOT NULL DEFAULT 1000,
    in_use integer NOT NULL DEFAULT 0 CONSTRAINT pool_is_not_negative CHECK (in_use >= 0),
    paused_at timestamptz,
    paused_by text,
    paused_reason text
) WITH (fillfactor = 20);
INSERT INTO engine (shard) VALUES (0);

CREATE TABLE quotas (
    shard integer NOT NULL,
    key text NOT NULL,
    reason text,
    closed_at timestamptz,
    resume_at timestamptz,
    opened_at timestamptz,
    ramped integer NOT NULL,
    utilization double precision,
    resets_at timestamptz,
    read_at timestamptz,
    consecutive_failures integer NOT NULL,
    failing_since timestamptz,
    last_failure_kind text,
    next_poll_s double precision NOT NULL,
    policy jsonb NOT NULL,
    PRIMARY KEY (shard, key)
) WITH (fillfactor = 50);

CREATE TABLE campaigns (
    shard integer NOT NULL,
    name text NOT NULL,
    title text NOT NULL,
    policy jsonb NOT NULL,
    labels jsonb NOT NULL,
    auto boolean NOT NULL,
    quota text,
    brief text,
    brief_rev integer NOT NULL,
    deadline timestamptz,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    completed_at timestamptz,
    cancelled_at timestamptz,
    outcome text,
    paused_at timestamptz,
    paused_by text,
    paused_reason text,
    consecutive integer NOT NULL,
    failures bigint[] NOT NULL,
    tripped bigint,
    last_claim bigint NOT NULL,
    blocked integer NOT NULL,
    ready integer NOT NULL,
    delayed integer NOT NULL,
    parked integer NOT NULL,
    running integer NOT NULL,
    done integer NOT NULL,
    quarantined integer NOT NULL,
    skipped integer NOT NULL,
    cancelled integer NOT NULL,
    PRIMARY KEY (shard, name),
    CONSTRAINT counts_are_not_negative
        CHECK (least(blocked, ready, delayed, parked, running, done, quarantined, skipped, cancelled) >= 0)
) WITH (fillfactor = 50);
CREATE INDEX campaigns_open ON campaigns (shard, name) WHERE completed_at IS NULL AND cancelled_at IS NULL;

CREATE TABLE groups (
    shard integer NOT NULL,
    campaign text NOT NULL,
    grp integer NOT NULL,
    ready integer NOT NULL,
    held integer NOT NULL,
    PRIMARY KEY (shard, campaign, grp)
) WITH (fillfactor = 50);

CREATE TABLE units (
    shard integer NOT NULL,
    campaign text NOT NULL,
    key text NOT NULL,
    state text NOT NULL,
    grp integer NOT NULL,
    priority integer NOT NULL,
    seq bigint NOT NULL,
    payload jsonb NOT NULL,
    estimate_s double precision,
    kind text NOT NULL,
    fix_of text,
    attempts integer NOT NULL CONSTRAINT attempts_are_not_negative CHECK (attempts >= 0),
    parks integer NOT NULL,
    claims integer NOT NULL,
    token text,
    worker text,
    session text,
    due_at timestamptz,
    resume_at timestamptz,
    reason text,
    error text,
    screen_id text,
    waits_for integer NOT NULL CONSTRAINT waits_are_not_negative CHECK (waits_for >= 0),
    dependents integer NOT NULL,
    settled boolean NOT NULL,
    because_of text,
    ready_at timestamptz,
    claimed_at timestamptz,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (shard, campaign, key)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
CREATE INDEX units_in_claim_order ON units (shard, campaign, grp, priority DESC, seq) WHERE state = 'ready';
CREATE INDEX units_by_state ON units (shard, campaign, state, key);
CREATE INDEX units_resting ON units (shard, due_at) WHERE state = 'delayed';
CREATE INDEX units_parked ON units (shard, resume_at) WHERE state = 'parked';

CREATE TABLE dependencies (
    shard integer NOT NULL,
    campaign text NOT NULL,
    parent text NOT NULL,
    child text NOT NULL,
    PRIMARY KEY (shard, campaign, parent, child)
);
CREATE INDEX dependencies_of_child ON dependencies (shard, campaign, child);

CREATE TABLE claims (
    shard integer NOT NULL,
    token text NOT NULL,
    campaign text NOT NULL,
    unit text NOT NULL,
    worker text NOT NULL,
    fence bigint NOT NULL,
    attempt integer NOT NULL,
    mode text NOT NULL,
    claimed_at timestamptz NOT NULL,
    lease_s double precision NOT NULL,
    lease_until timestamptz NOT NULL,
    beat_at timestamptz NOT NULL,
    moved_at timestamptz,
    output_at timestamptz,
    progress double precision,
    note text,
    session text,
    idle_count integer NOT NULL,
    screen_id text,
    PRIMARY KEY (shard, token),
    CONSTRAINT unit_has_one_claim UNIQUE (shard, campaign, unit)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE workers (
    shard integer NOT NULL,
    worker text NOT NULL,
    state text NOT NULL,
    registered boolean NOT NULL,
    capacity integer,
    labels jsonb NOT NULL,
    version text,
    level text NOT NULL,
    level_at timestamptz NOT NULL,
    beat_at timestamptz NOT NULL,
    alive boolean NOT NULL,
    held integer NOT NULL CONSTRAINT held_is_not_negative CHECK (held >= 0),
    PRIMARY KEY (shard, worker)
) WITH (fillfactor = 50);

CREATE TABLE leader (
    shard integer PRIMARY KEY,
    replica text NOT NULL,
    until timestamptz NOT NULL,
    heard_since timestamptz NOT NULL
) WITH (fillfactor = 50);
"""

GRANTS = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'muster_service') THEN  -- so that an owner need not make roles
        CREATE ROLE muster_service NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
GRANT USAGE ON SCHEMA public TO muster_service;
GRANT SELECT, INSERT ON events, heartbeats TO muster_service;
GRANT SELECT, UPDATE ON log_shard TO muster_service;
GRANT SELECT, INSERT, DELETE ON screens TO muster_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency, leader TO muster_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON engine, quotas, campaigns, groups, units, dependencies, claims, workers TO muster_service;
GRANT EXECUTE ON FUNCTION extend_log(bigint) TO muster_service;
GRANT SELECT ON alembic_version TO muster_service;
"""


def upgrade() -> None:
    """Create the log, the state and the role's rights."""
    for block in (LOG, STATE, GRANTS):
        run(block)


def downgrade() -> None:
    """Drop everything but the role, which other databases of the cluster may use."""
    op.execute(
        "DROP TABLE leader, workers, claims, dependencies, units, groups, campaigns, quotas, engine,"
        " idempotency, screens, heartbeats, events, log_shard"
    )
    op.execute("DROP FUNCTION extend_log(bigint)")
    op.execute("DROP FUNCTION refuse_change()")
