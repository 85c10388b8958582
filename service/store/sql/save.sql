-- name: save
-- What a batch changes again and again, in one round trip: claims that ended, began or were beaten, units, workers,
-- campaigns with their groups, the engine; each row with its values after the batch. A unit whose claim ended
-- may have a new one: the old one goes first. What heartbeats change of claims is in no index, so that the row stays on its page.
WITH ended AS (
    DELETE FROM claims WHERE shard = $1::integer AND token = ANY($2::text[]) RETURNING token
),
begun AS (
    INSERT INTO claims (
        shard, token, campaign, unit, worker, fence, attempt, mode, claimed_at, lease_s, lease_until, beat_at, moved_at,
        output_at, progress, note, session, idle_count, screen_id
    )
    SELECT
        $1::integer, token, campaign, unit, worker, fence, attempt, mode, claimed_at, lease_s, lease_until, beat_at, moved_at,
        output_at, progress, note, session, idle_count, screen_id
    FROM json_to_recordset($3::json) AS row (
        token text, campaign text, unit text, worker text, fence bigint, attempt integer, mode text, claimed_at timestamptz,
        lease_s double precision, lease_until timestamptz, beat_at timestamptz, moved_at timestamptz, output_at timestamptz,
        progress double precision, note text, session text, idle_count integer, screen_id text
    )
    WHERE (SELECT count(*) FROM ended) >= 0
),
beaten AS (
    UPDATE claims AS c
    SET lease_until = row.lease_until, beat_at = row.beat_at, moved_at = row.moved_at, output_at = row.output_at,
        progress = row.progress, idle_count = row.idle_count
    FROM json_to_recordset($4::json) AS row (
        token text, lease_until timestamptz, beat_at timestamptz, moved_at timestamptz, output_at timestamptz,
        progress double precision, idle_count integer
    )
    WHERE c.shard = $1::integer
        AND c.token = row.token
),
moved AS (
    UPDATE units AS u
    SET state = row.state, attempts = row.attempts, parks = row.parks, claims = row.claims, token = row.token,
        worker = row.worker, session = row.session, due_at = row.due_at, resume_at = row.resume_at, reason = row.reason,
        error = row.error, screen_id = row.screen_id, waits_for = row.waits_for, dependents = row.dependents,
        settled = row.settled, because_of = row.because_of, ready_at = row.ready_at, claimed_at = row.claimed_at,
        updated_at = row.updated_at, first_ready_at = row.first_ready_at
    FROM json_to_recordset($5::json) AS row (
        campaign text, key text, state text, attempts integer, parks integer, claims integer, token text, worker text,
        session text, due_at timestamptz, resume_at timestamptz, reason text, error text, screen_id text, waits_for integer,
        dependents integer, settled boolean, because_of text, ready_at timestamptz, claimed_at timestamptz,
        updated_at timestamptz, first_ready_at timestamptz
    )
    WHERE u.shard = $1::integer
        AND u.campaign = row.campaign
        AND u.key = row.key
),
working AS (
    INSERT INTO workers (shard, worker, state, registered, capacity, labels, version, level, level_at, beat_at, alive, held)
    SELECT $1::integer, worker, state, registered, capacity, labels, version, level, level_at, beat_at, alive, held
    FROM json_to_recordset($6::json) AS row (
        worker text, state text, registered boolean, capacity integer, labels jsonb, version text, level text,
        level_at timestamptz, beat_at timestamptz, alive boolean, held integer
    )
    ON CONFLICT (shard, worker) DO UPDATE
    SET state = excluded.state, registered = excluded.registered, capacity = excluded.capacity, labels = excluded.labels,
        version = excluded.version, level = excluded.level, level_at = excluded.level_at, beat_at = excluded.beat_at,
        alive = excluded.alive, held = excluded.held
),
counted AS (
    INSERT INTO campaigns (
        shard, name, title, policy, labels, auto, quota, brief, brief_rev, deadline, version, created_at, started_at,
        completed_at, cancelled_at, outcome, paused_at, paused_by, paused_reason, consecutive, failures, tripped, last_claim,
        blocked, ready, delayed, parked, running, done, quarantined, skipped, cancelled, exported_at, open_fanouts
    )
    SELECT
        $1::integer, name, title, policy, labels, auto, quota, brief, brief_rev, deadline, version, created_at, started_at,
        completed_at, cancelled_at, outcome, paused_at, paused_by, paused_reason, consecutive, failures, tripped, last_claim,
        blocked, ready, delayed, parked, running, done, quarantined, skipped, cancelled, exported_at, open_fanouts
    FROM json_to_recordset($7::json) AS row (
        name text, title text, policy jsonb, labels jsonb, auto boolean, quota text, brief text, brief_rev integer,
        deadline timestamptz, version integer, created_at timestamptz, started_at timestamptz, completed_at timestamptz,
        cancelled_at timestamptz, outcome text, paused_at timestamptz, paused_by text, paused_reason text,
        consecutive integer, failures bigint[], tripped bigint, last_claim bigint, blocked integer, ready integer,
        delayed integer, parked integer, running integer, done integer, quarantined integer, skipped integer,
        cancelled integer, exported_at timestamptz, open_fanouts integer
    )
    ON CONFLICT (shard, name) DO UPDATE
    SET title = excluded.title, policy = excluded.policy, labels = excluded.labels, auto = excluded.auto,
        quota = excluded.quota, brief = excluded.brief, brief_rev = excluded.brief_rev, deadline = excluded.deadline,
        version = excluded.version, started_at = excluded.started_at, completed_at = excluded.completed_at,
        cancelled_at = excluded.cancelled_at, outcome = excluded.outcome, paused_at = excluded.paused_at,
        paused_by = excluded.paused_by, paused_reason = excluded.paused_reason, consecutive = excluded.consecutive,
        failures = excluded.failures, tripped = excluded.tripped, last_claim = excluded.last_claim,
        blocked = excluded.blocked, ready = excluded.ready, delayed = excluded.delayed, parked = excluded.parked,
        running = excluded.running, done = excluded.done, quarantined = excluded.quarantined, skipped = excluded.skipped,
        cancelled = excluded.cancelled, exported_at = excluded.exported_at, open_fanouts = excluded.open_fanouts
),
grouped AS (
    INSERT INTO groups (shard, campaign, grp, ready, held)
    SELECT $1::integer, campaign, "group", ready, held
    FROM json_to_recordset($8::json) AS row (campaign text, "group" integer, ready integer, held integer)
    ON CONFLICT (shard, campaign, grp) DO UPDATE SET ready = excluded.ready, held = excluded.held
)
UPDATE engine AS e
SET pool_size = row.pool_size, in_use = row.in_use, paused_at = row.paused_at, paused_by = row.paused_by,
    paused_reason = row.paused_reason
FROM json_to_recordset($9::json) AS row (
    pool_size integer, in_use integer, paused_at timestamptz, paused_by text, paused_reason text
)
WHERE e.shard = $1::integer;

-- name: add_units
-- New units of an import; a payload of JSON's null is no missing one.
INSERT INTO units (
    shard, campaign, key, state, grp, priority, seq, payload, estimate_s, kind, fix_of, attempts, parks, claims, token, worker,
    session, due_at, resume_at, reason, error, screen_id, waits_for, dependents, settled, because_of, ready_at, claimed_at,
    updated_at, first_ready_at
)
SELECT
    $1::integer, campaign, key, state, "group", priority, seq, coalesce(payload, 'null'), estimate_s, kind, fix_of, attempts,
    parks, claims, token, worker, session, due_at, resume_at, reason, error, screen_id, waits_for, dependents, settled,
    because_of, ready_at, claimed_at, updated_at, first_ready_at
FROM json_to_recordset($2::json) AS row (
    campaign text, key text, state text, "group" integer, priority integer, seq bigint, payload jsonb,
    estimate_s double precision, kind text, fix_of text, attempts integer, parks integer, claims integer, token text,
    worker text, session text, due_at timestamptz, resume_at timestamptz, reason text, error text, screen_id text,
    waits_for integer, dependents integer, settled boolean, because_of text, ready_at timestamptz, claimed_at timestamptz,
    updated_at timestamptz, first_ready_at timestamptz
);

-- name: add_edges
-- New edges of the dependency graph.
INSERT INTO dependencies (shard, campaign, parent, child)
SELECT $1::integer, campaign, parent, child
FROM unnest($2::text[], $3::text[], $4::text[]) AS edge (campaign, parent, child);

-- name: save_imports
-- The fields that an import changed of units that no worker had started.
UPDATE units AS u
SET payload = coalesce(row.payload, 'null'), grp = row."group", priority = row.priority, estimate_s = row.estimate_s
FROM json_to_recordset($2::json) AS row (
    campaign text, key text, payload jsonb, "group" integer, priority integer, estimate_s double precision
)
WHERE u.shard = $1::integer
    AND u.campaign = row.campaign
    AND u.key = row.key;

-- name: save_details
-- The note, session and screen of the few heartbeats that carry one.
UPDATE claims AS c
SET note = row.note, session = row.session, screen_id = row.screen_id
FROM json_to_recordset($2::json) AS row (token text, note text, session text, screen_id text)
WHERE c.shard = $1::integer
    AND c.token = row.token;

-- name: save_quota
-- Inserts or updates a quota.
INSERT INTO quotas (
    shard, key, reason, closed_at, resume_at, opened_at, ramped, utilization, resets_at, read_at, consecutive_failures,
    failing_since, last_failure_kind, next_poll_s, policy
)
VALUES (
    $1::integer, $2::text, $3::text, $4::timestamptz, $5::timestamptz, $6::timestamptz, $7::integer, $8::double precision,
    $9::timestamptz, $10::timestamptz, $11::integer, $12::timestamptz, $13::text, $14::double precision, $15::jsonb
)
ON CONFLICT (shard, key) DO UPDATE
SET reason = excluded.reason, closed_at = excluded.closed_at, resume_at = excluded.resume_at, opened_at = excluded.opened_at,
    ramped = excluded.ramped, utilization = excluded.utilization, resets_at = excluded.resets_at, read_at = excluded.read_at,
    consecutive_failures = excluded.consecutive_failures, failing_since = excluded.failing_since,
    last_failure_kind = excluded.last_failure_kind, next_poll_s = excluded.next_poll_s, policy = excluded.policy;
