-- name: lock
-- One writer at a time.
SELECT shard FROM log_shard WHERE shard = 0 FOR UPDATE;

-- name: moment
-- Where the log ends, and the time.
SELECT
    greatest(
        (SELECT max(position) FROM events WHERE shard = 0),
        (SELECT max(position) FROM heartbeats WHERE shard = 0),
        0::bigint
    ) AS head,
    clock_timestamp() AS at;

-- name: candidates
-- The next units in the order of claims.
SELECT key, payload, attempts
FROM units
WHERE shard = 0 AND campaign = $1::text AND state = 'ready'
ORDER BY grp, priority DESC, seq
LIMIT $2::integer;

-- name: append
-- One kind of fact about many units.
INSERT INTO events (
    shard, position, kind, schema, campaign, unit, worker, recorded_at, correlation_id, span_id, causation, actor, data
)
SELECT 0, $1::bigint + n, $2::text, 1, $3::text, unit, $4::text, $5::timestamptz, $6::text, $7::text, $8::text, $9::text, data
FROM unnest($10::text[], $11::jsonb[]) WITH ORDINALITY AS fact (unit, data, n);

-- name: run_units
-- Units that are claimed now.
UPDATE units AS u
SET state = 'running', token = row.token, worker = $2::text, attempts = u.attempts + 1, claims = u.claims + 1,
    claimed_at = $3::timestamptz, updated_at = $3::timestamptz
FROM unnest($4::text[], $5::text[]) AS row (key, token)
WHERE u.shard = 0 AND u.campaign = $1::text AND u.key = row.key;

-- name: add_claims
-- Their claims.
INSERT INTO claims (
    shard, token, campaign, unit, worker, fence, attempt, mode, claimed_at, lease_s, lease_until, beat_at, idle_count
)
SELECT
    0, token, $1::text, unit, $2::text, $4::bigint + n, 1, 'auto', $3::timestamptz, 300, $3::timestamptz + interval '300 s',
    $3::timestamptz, 0
FROM unnest($5::text[], $6::text[]) WITH ORDINALITY AS claim (unit, token, n);

-- name: end_units
-- Units that are done now.
UPDATE units
SET state = 'done', settled = true, updated_at = $2::timestamptz
WHERE shard = 0 AND campaign = $1::text AND key = ANY($3::text[]);

-- name: end_claims
-- Claims that ended.
DELETE FROM claims WHERE shard = 0 AND token = ANY($1::text[]);

-- name: count_claimed
-- A campaign of which units were claimed.
UPDATE campaigns
SET ready = ready - $2::integer, running = running + $2::integer, last_claim = $3::bigint,
    started_at = coalesce(started_at, $4::timestamptz)
WHERE shard = 0 AND name = $1::text;

-- name: count_done
-- A campaign of which units were done.
UPDATE campaigns SET running = running - $2::integer, done = done + $2::integer WHERE shard = 0 AND name = $1::text;

-- name: count_group
-- Its group.
UPDATE groups
SET ready = ready - $2::integer, held = held + $3::integer
WHERE shard = 0 AND campaign = $1::text AND grp = 99;

-- name: count_engine
-- The pool.
UPDATE engine SET in_use = in_use + $1::integer WHERE shard = 0;

-- name: meet_worker
-- A worker's first word, before the clock starts.
INSERT INTO workers (shard, worker, state, registered, labels, level, level_at, beat_at, alive, held)
VALUES (0, $1::text, 'active', false, '{}', 'healthy', now(), now(), true, 0)
ON CONFLICT DO NOTHING;

-- name: count_worker
-- The worker, who was heard.
UPDATE workers
SET beat_at = $2::timestamptz, alive = true, held = held + $3::integer
WHERE shard = 0 AND worker = $1::text;

-- name: append_heartbeats
-- One heartbeat of each claim.
INSERT INTO heartbeats (
    shard, position, campaign, unit, worker, recorded_at, correlation_id, span_id, causation, actor,
    token, progress, idle, output_at
)
SELECT
    0, $1::bigint + n, $2::text, unit, $3::text, $4::timestamptz, $5::text, $6::text, $7::text, $8::text,
    token, progress, false, output_at
FROM unnest($9::text[], $10::text[], $11::double precision[], $12::timestamptz[])
    WITH ORDINALITY AS beat (unit, token, progress, output_at, n);

-- name: beat_claims
-- What heartbeats change.
UPDATE claims AS c
SET lease_until = $1::timestamptz + make_interval(secs => c.lease_s), beat_at = $1::timestamptz, moved_at = $1::timestamptz,
    output_at = row.output_at, progress = row.progress
FROM unnest($2::text[], $3::double precision[], $4::timestamptz[]) AS row (token, progress, output_at)
WHERE c.shard = 0 AND c.token = row.token;
