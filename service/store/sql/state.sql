-- name: campaigns
-- Campaigns by name, served by the primary key, each with its groups that have something open: number, ready, held in turn.
SELECT
    c.name, c.title, c.policy, c.labels, c.auto, c.quota, c.brief, c.brief_rev, c.deadline, c.version, c.created_at,
    c.started_at, c.completed_at, c.cancelled_at, c.outcome, c.paused_at, c.paused_by, c.paused_reason, c.consecutive,
    c.failures, c.tripped, c.last_claim, c.exported_at, c.spreading,
    c.blocked, c.ready, c.delayed, c.parked, c.running, c.done, c.quarantined, c.skipped, c.cancelled,
    ARRAY(
        SELECT unnest(ARRAY[g.grp, g.ready, g.held])
        FROM groups AS g
        WHERE g.shard = c.shard
            AND g.campaign = c.name
            AND g.ready + g.held > 0
    ) AS groups
FROM campaigns AS c
WHERE c.shard = $1::integer
    AND c.name = ANY($2::text[]);

-- name: fairest
-- Of the campaigns but those known, and those on a shut quota, the next that may give a unit, in the order of
-- `claiming.turn`: all are read by campaigns_open, narrowly, and their groups looked at only until there are enough. No count
-- stands in that index or its condition, so that a claim rewrites the campaign's row on its page.
SELECT turn.name
FROM (
    SELECT name, policy ->> 'groups' AS groups, running::double precision / concurrency AS load, last_claim
    FROM campaigns
    CROSS JOIN LATERAL (SELECT (policy ->> 'concurrency')::integer) AS most (concurrency)
    WHERE shard = $1::integer
        AND completed_at IS NULL
        AND cancelled_at IS NULL
        AND ready > 0
        AND running < concurrency
        AND ($4::boolean OR (auto AND paused_at IS NULL AND tripped IS NULL))
        AND name <> ALL($2::text[])
        AND (quota IS NULL OR quota <> ALL($5::text[]))
    ORDER BY load, last_claim, name COLLATE "C"
    OFFSET 0
) AS turn
WHERE turn.groups = 'none'
    OR (
        SELECT g.ready
        FROM groups AS g
        WHERE g.shard = $1::integer
            AND g.campaign = turn.name
            AND g.ready + g.held > 0
        ORDER BY g.grp
        LIMIT 1
    ) > 0
ORDER BY turn.load, turn.last_claim, turn.name COLLATE "C"
LIMIT $3::integer;

-- name: with_work
-- A few campaigns but those known that have a ready unit, whatever stands in its way.
SELECT name
FROM campaigns
WHERE shard = $1::integer
    AND completed_at IS NULL
    AND cancelled_at IS NULL
    AND ready > 0
    AND name <> ALL($2::text[])
ORDER BY name
LIMIT $3::integer;

-- name: quotas
-- Quotas by key.
SELECT
    key, reason, closed_at, resume_at, opened_at, ramped, utilization, resets_at, read_at, consecutive_failures,
    failing_since, last_failure_kind, next_poll_s, policy
FROM quotas
WHERE shard = $1::integer
    AND key = ANY($2::text[]);

-- name: all_quotas
-- Every quota; there are few.
SELECT
    key, reason, closed_at, resume_at, opened_at, ramped, utilization, resets_at, read_at, consecutive_failures,
    failing_since, last_failure_kind, next_poll_s, policy
FROM quotas
WHERE shard = $1::integer;

-- name: workers
-- Workers by id.
SELECT worker, level_at, beat_at, state, registered, capacity, labels, version, level, alive, held
FROM workers
WHERE shard = $1::integer
    AND worker = ANY($2::text[]);

-- name: claims
-- Claims by token, served by the primary key.
SELECT
    token, campaign, unit, worker, fence, attempt, mode, claimed_at, lease_s, lease_until, beat_at, moved_at, output_at,
    progress, note, session, idle_count, screen_id
FROM claims
WHERE shard = $1::integer
    AND token = ANY($2::text[]);

-- name: held
-- Claims by token, each with the unit that it holds, both served by their primary keys.
SELECT
    c.token, c.campaign, c.unit, c.worker, c.fence, c.attempt, c.mode, c.claimed_at, c.lease_s, c.lease_until, c.beat_at,
    c.moved_at, c.output_at, c.progress, c.note, c.session, c.idle_count, c.screen_id,
    u.campaign, u.key, u.state, u.grp AS group, u.priority, u.seq, u.payload, u.updated_at, u.estimate_s, u.kind, u.fix_of,
    u.attempts, u.parks, u.claims, u.token, u.worker, u.session, u.due_at, u.resume_at, u.reason, u.error, u.screen_id,
    u.waits_for, u.dependents, u.settled, u.because_of, u.ready_at, u.claimed_at, u.first_ready_at
FROM claims AS c
JOIN units AS u ON u.shard = c.shard AND u.campaign = c.campaign AND u.key = c.unit
WHERE c.shard = $1::integer
    AND c.token = ANY($2::text[]);

-- name: claims_of_workers
-- The claims that workers hold; the table is small and is read as a whole.
SELECT
    token, campaign, unit, worker, fence, attempt, mode, claimed_at, lease_s, lease_until, beat_at, moved_at, output_at,
    progress, note, session, idle_count, screen_id
FROM claims
WHERE shard = $1::integer
    AND worker = ANY($2::text[]);

-- name: claims_of_units
-- The claims on units.
SELECT
    c.token, c.campaign, c.unit, c.worker, c.fence, c.attempt, c.mode, c.claimed_at, c.lease_s, c.lease_until, c.beat_at,
    c.moved_at, c.output_at, c.progress, c.note, c.session, c.idle_count, c.screen_id
FROM unnest($2::text[], $3::text[]) AS asked (campaign, unit)
JOIN claims AS c ON c.shard = $1::integer AND c.campaign = asked.campaign AND c.unit = asked.unit;

-- name: units
-- Units by campaign and key, served by the primary key.
SELECT
    u.campaign, u.key, u.state, u.grp AS group, u.priority, u.seq, u.payload, u.updated_at, u.estimate_s, u.kind, u.fix_of,
    u.attempts, u.parks, u.claims, u.token, u.worker, u.session, u.due_at, u.resume_at, u.reason, u.error, u.screen_id,
    u.waits_for, u.dependents, u.settled, u.because_of, u.ready_at, u.claimed_at, u.first_ready_at
FROM unnest($2::text[], $3::text[]) AS asked (campaign, key)
JOIN units AS u ON u.shard = $1::integer AND u.campaign = asked.campaign AND u.key = asked.key;

-- name: candidates
-- The next units of each campaign in the order of claims, served by units_in_claim_order: the order of that index, or the
-- plan would walk past every finished unit.
SELECT
    u.campaign, u.key, u.state, u.grp AS group, u.priority, u.seq, u.payload, u.updated_at, u.estimate_s, u.kind, u.fix_of,
    u.attempts, u.parks, u.claims, u.token, u.worker, u.session, u.due_at, u.resume_at, u.reason, u.error, u.screen_id,
    u.waits_for, u.dependents, u.settled, u.because_of, u.ready_at, u.claimed_at, u.first_ready_at
FROM unnest($2::text[], $3::integer[]) AS wanted (campaign, count)
CROSS JOIN LATERAL (
    SELECT *
    FROM units
    WHERE shard = $1::integer
        AND campaign = wanted.campaign
        AND state = 'ready'
    ORDER BY grp, priority DESC, seq
    LIMIT wanted.count
) AS u;

-- name: open_units
-- The next units of a campaign that are not final, those who run first, for a cancellation in rounds; served by units_by_state.
SELECT u.key
FROM unnest(ARRAY['running', 'ready', 'delayed', 'parked', 'blocked', 'quarantined']) AS unfinished (state)
CROSS JOIN LATERAL (
    SELECT key
    FROM units
    WHERE shard = $1::integer
        AND campaign = $2::text
        AND state = unfinished.state
    ORDER BY key
    LIMIT $3::integer
) AS u
LIMIT $3::integer;

-- name: descendants
-- The edges below units, nearest first and up to a number, for what follows from their end.
WITH RECURSIVE edge (campaign, parent, child) AS (
    SELECT d.campaign, d.parent, d.child
    FROM unnest($2::text[], $3::text[]) AS root (campaign, key)
    JOIN dependencies AS d ON d.shard = $1::integer AND d.campaign = root.campaign AND d.parent = root.key
    UNION
    SELECT d.campaign, d.parent, d.child
    FROM edge
    JOIN dependencies AS d ON d.shard = $1::integer AND d.campaign = edge.campaign AND d.parent = edge.child
)
SELECT campaign, parent, child FROM edge LIMIT $4::integer;

-- name: children
-- The edges directly below units.
SELECT d.campaign, d.parent, d.child
FROM unnest($2::text[], $3::text[]) AS root (campaign, key)
JOIN dependencies AS d ON d.shard = $1::integer AND d.campaign = root.campaign AND d.parent = root.key;

-- name: parents
-- The edges directly above units.
SELECT d.campaign, d.parent, d.child
FROM unnest($2::text[], $3::text[]) AS leaf (campaign, key)
JOIN dependencies AS d ON d.shard = $1::integer AND d.campaign = leaf.campaign AND d.child = leaf.key;

-- name: save_engine
-- The engine's row.
UPDATE engine
SET pool_size = $2::integer, in_use = $3::integer, paused_at = $4::timestamptz, paused_by = $5::text, paused_reason = $6::text
WHERE shard = $1::integer;

-- name: save_campaigns
-- Campaigns as they are after the batch.
INSERT INTO campaigns (
    shard, name, title, policy, labels, auto, quota, brief, brief_rev, deadline, version, created_at, started_at, completed_at,
    cancelled_at, outcome, paused_at, paused_by, paused_reason, consecutive, failures, tripped, last_claim,
    blocked, ready, delayed, parked, running, done, quarantined, skipped, cancelled, exported_at, spreading
)
VALUES (
    $1::integer, $2::text, $3::text, $4::jsonb, $5::jsonb, $6::boolean, $7::text, $8::text, $9::integer, $10::timestamptz,
    $11::integer, $12::timestamptz, $13::timestamptz, $14::timestamptz, $15::timestamptz, $16::text, $17::timestamptz,
    $18::text, $19::text, $20::integer, $21::bigint[], $22::bigint, $23::bigint, $24::integer, $25::integer, $26::integer,
    $27::integer, $28::integer, $29::integer, $30::integer, $31::integer, $32::integer, $33::timestamptz, $34::integer
)
ON CONFLICT (shard, name) DO UPDATE
SET title = excluded.title, policy = excluded.policy, labels = excluded.labels, auto = excluded.auto, quota = excluded.quota,
    brief = excluded.brief, brief_rev = excluded.brief_rev, deadline = excluded.deadline, version = excluded.version,
    started_at = excluded.started_at, completed_at = excluded.completed_at, cancelled_at = excluded.cancelled_at,
    outcome = excluded.outcome, paused_at = excluded.paused_at, paused_by = excluded.paused_by,
    paused_reason = excluded.paused_reason, consecutive = excluded.consecutive, failures = excluded.failures,
    tripped = excluded.tripped, last_claim = excluded.last_claim, blocked = excluded.blocked, ready = excluded.ready,
    delayed = excluded.delayed, parked = excluded.parked, running = excluded.running, done = excluded.done,
    quarantined = excluded.quarantined, skipped = excluded.skipped, cancelled = excluded.cancelled,
    exported_at = excluded.exported_at, spreading = excluded.spreading;

-- name: save_groups
-- Groups as they are after the batch.
INSERT INTO groups (shard, campaign, grp, ready, held)
SELECT $1::integer, campaign, "group", ready, held
FROM json_to_recordset($2::json) AS row (campaign text, "group" integer, ready integer, held integer)
ON CONFLICT (shard, campaign, grp) DO UPDATE SET ready = excluded.ready, held = excluded.held;

-- name: save_quota
-- A quota as it is after the batch.
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

-- name: save_workers
-- Workers as they are after the batch.
INSERT INTO workers (shard, worker, state, registered, capacity, labels, version, level, level_at, beat_at, alive, held)
SELECT $1::integer, worker, state, registered, capacity, labels, version, level, level_at, beat_at, alive, held
FROM json_to_recordset($2::json) AS row (
    worker text, state text, registered boolean, capacity integer, labels jsonb, version text, level text,
    level_at timestamptz, beat_at timestamptz, alive boolean, held integer
)
ON CONFLICT (shard, worker) DO UPDATE
SET state = excluded.state, registered = excluded.registered, capacity = excluded.capacity, labels = excluded.labels,
    version = excluded.version, level = excluded.level, level_at = excluded.level_at, beat_at = excluded.beat_at,
    alive = excluded.alive, held = excluded.held;

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

-- name: save_units
-- What decisions changed of units; the payload is not theirs. Served by the primary key.
UPDATE units AS u
SET state = row.state, attempts = row.attempts, parks = row.parks, claims = row.claims, token = row.token,
    worker = row.worker, session = row.session, due_at = row.due_at, resume_at = row.resume_at, reason = row.reason,
    error = row.error, screen_id = row.screen_id, waits_for = row.waits_for, dependents = row.dependents,
    settled = row.settled, because_of = row.because_of, ready_at = row.ready_at, claimed_at = row.claimed_at,
    updated_at = row.updated_at, first_ready_at = row.first_ready_at
FROM json_to_recordset($2::json) AS row (
    campaign text, key text, state text, attempts integer, parks integer, claims integer, token text, worker text,
    session text, due_at timestamptz, resume_at timestamptz, reason text, error text, screen_id text, waits_for integer,
    dependents integer, settled boolean, because_of text, ready_at timestamptz, claimed_at timestamptz,
    updated_at timestamptz, first_ready_at timestamptz
)
WHERE u.shard = $1::integer
    AND u.campaign = row.campaign
    AND u.key = row.key;

-- name: save_plans
-- What an import changed of units that nobody had started.
UPDATE units AS u
SET payload = coalesce(row.payload, 'null'), grp = row."group", priority = row.priority, estimate_s = row.estimate_s
FROM json_to_recordset($2::json) AS row (
    campaign text, key text, payload jsonb, "group" integer, priority integer, estimate_s double precision
)
WHERE u.shard = $1::integer
    AND u.campaign = row.campaign
    AND u.key = row.key;

-- name: add_edges
-- New edges of the dependency graph.
INSERT INTO dependencies (shard, campaign, parent, child)
SELECT $1::integer, campaign, parent, child
FROM unnest($2::text[], $3::text[], $4::text[]) AS edge (campaign, parent, child);

-- name: add_claims
-- New claims.
INSERT INTO claims (
    shard, token, campaign, unit, worker, fence, attempt, mode, claimed_at, lease_s, lease_until, beat_at, moved_at, output_at,
    progress, note, session, idle_count, screen_id
)
SELECT
    $1::integer, token, campaign, unit, worker, fence, attempt, mode, claimed_at, lease_s, lease_until, beat_at, moved_at,
    output_at, progress, note, session, idle_count, screen_id
FROM json_to_recordset($2::json) AS row (
    token text, campaign text, unit text, worker text, fence bigint, attempt integer, mode text, claimed_at timestamptz,
    lease_s double precision, lease_until timestamptz, beat_at timestamptz, moved_at timestamptz, output_at timestamptz,
    progress double precision, note text, session text, idle_count integer, screen_id text
);

-- name: save_claims
-- What heartbeats changed: no indexed column, so that the row stays on its page.
UPDATE claims AS c
SET lease_until = row.lease_until, beat_at = row.beat_at, moved_at = row.moved_at, output_at = row.output_at,
    progress = row.progress, idle_count = row.idle_count
FROM json_to_recordset($2::json) AS row (
    token text, lease_until timestamptz, beat_at timestamptz, moved_at timestamptz, output_at timestamptz,
    progress double precision, idle_count integer
)
WHERE c.shard = $1::integer
    AND c.token = row.token;

-- name: save_words
-- What the fewer heartbeats that carry words changed besides.
UPDATE claims AS c
SET note = row.note, session = row.session, screen_id = row.screen_id
FROM json_to_recordset($2::json) AS row (token text, note text, session text, screen_id text)
WHERE c.shard = $1::integer
    AND c.token = row.token;

-- name: end_claims
-- Claims that ended.
DELETE FROM claims WHERE shard = $1::integer AND token = ANY($2::text[]);
