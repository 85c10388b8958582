-- name: lock
-- Takes the shard: one writer at a time, until the transaction ends. The row is never updated.
SELECT shard FROM log_shard WHERE shard = $1::integer FOR UPDATE;

-- name: now
-- The database's time.
SELECT clock_timestamp();

-- name: moment
-- The head of the log, the database's time (never backwards within a shard), the engine, and the campaigns with an open plan of a
-- recovery; a second statement, so that its snapshot is younger than the lock. Two backward steps on the primary keys, and one on
-- campaign_has_one_plan, which is empty but after an outage.
SELECT
    greatest(e.position, h.position, 0::bigint) AS head,
    greatest(e.recorded_at, h.recorded_at) AS last,
    greatest(clock_timestamp(), e.recorded_at, h.recorded_at) AS at,
    g.pool_size,
    g.in_use,
    g.paused_at,
    g.paused_by,
    g.paused_reason,
    ARRAY(SELECT r.campaign FROM recoveries AS r WHERE r.shard = $1::integer AND r.state = 'open') AS planned
FROM engine AS g
LEFT JOIN LATERAL (
    SELECT position, recorded_at FROM events WHERE shard = $1::integer ORDER BY position DESC LIMIT 1
) AS e ON true
LEFT JOIN LATERAL (
    SELECT position, recorded_at FROM heartbeats WHERE shard = $1::integer ORDER BY position DESC LIMIT 1
) AS h ON true
WHERE g.shard = $1::integer;

-- name: head
-- The last position of the log.
SELECT greatest(
    (SELECT max(position) FROM events WHERE shard = $1::integer),
    (SELECT max(position) FROM heartbeats WHERE shard = $1::integer),
    0::bigint
);

-- name: facts
-- Facts of a range of positions, served by the primary key.
SELECT
    position, kind, schema, campaign, unit, worker, recorded_at, correlation_id, span_id, causation, actor, data
FROM events
WHERE shard = $1::integer
    AND position > $2::bigint
    AND position <= $3::bigint
ORDER BY position;

-- name: heartbeats
-- Heartbeats of a range of positions, served by the primary key.
SELECT
    position, campaign, unit, worker, recorded_at, correlation_id, span_id, causation, actor,
    token, progress, note, session, idle, alive, output_at, usage, screen_id
FROM heartbeats
WHERE shard = $1::integer
    AND position > $2::bigint
    AND position <= $3::bigint
ORDER BY position;

-- name: claims_at
-- The claims that the log holds at these positions, for tokens that are no longer current.
SELECT position, campaign, unit, worker, recorded_at, data
FROM events
WHERE shard = $1::integer
    AND position = ANY($2::bigint[])
    AND kind = 'unit.claimed';

-- name: endings
-- The report that ended each of these claims, where its worker sent one, and whether it quarantined the unit; served by
-- events_of_unit and the primary key. A claim's position is its fence.
SELECT past.token, ending.position, ending.kind, ending.digest, next.position IS NOT NULL AS quarantined
FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[]) AS past (campaign, unit, token, position)
CROSS JOIN LATERAL (
    SELECT e.position, e.kind, e.data ->> 'report_digest' AS digest
    FROM events AS e
    WHERE e.shard = $1::integer
        AND e.campaign = past.campaign
        AND e.unit = past.unit
        AND e.position > past.position
        AND e.kind IN ('unit.completed', 'unit.attempt_failed', 'unit.parked', 'unit.released')
        AND e.data ->> 'token' = past.token
        AND e.data ->> 'report_digest' IS NOT NULL
    ORDER BY e.position DESC
    LIMIT 1
) AS ending
LEFT JOIN events AS next ON next.shard = $1::integer
    AND next.position = ending.position + 1
    AND next.campaign = past.campaign
    AND next.unit = past.unit
    AND next.kind = 'unit.quarantined';

-- name: causation_at
-- Whose event stands at a position: tells whether a commit of unknown outcome happened.
SELECT causation
FROM (
    SELECT causation FROM events WHERE shard = $1::integer AND position = $2::bigint
    UNION ALL
    SELECT causation FROM heartbeats WHERE shard = $1::integer AND position = $2::bigint
) AS place;

-- name: keep_screens
-- Screens by their digest; one that is there stays.
INSERT INTO screens (shard, screen_id, text, recorded_at)
SELECT $1::integer, screen_id, text, $2::timestamptz
FROM unnest($3::text[], $4::text[]) AS screen (screen_id, text)
ON CONFLICT DO NOTHING;

-- name: screens
-- The texts of screens.
SELECT screen_id, text FROM screens WHERE shard = $1::integer AND screen_id = ANY($2::text[]);

-- name: keys
-- What was answered to these idempotency keys since a time.
SELECT key, digest, position, body
FROM idempotency
WHERE shard = $1::integer
    AND key = ANY($2::text[])
    AND recorded_at > $3::timestamptz;

-- name: keep_keys
-- The answers of this batch under their idempotency keys; an expired one gives way.
INSERT INTO idempotency (shard, key, digest, position, body, recorded_at)
SELECT $1::integer, key, digest, position, body, $2::timestamptz
FROM unnest($3::text[], $4::bytea[], $5::bigint[], $6::bytea[]) AS answer (key, digest, position, body)
ON CONFLICT (shard, key) DO UPDATE
SET digest = excluded.digest, position = excluded.position, body = excluded.body, recorded_at = excluded.recorded_at;

-- name: keep_body
-- The body that was sent as the first answer to a key.
UPDATE idempotency SET status = $3::smallint, body = $4::bytea WHERE shard = $1::integer AND key = $2::text;

-- name: forget_keys
-- Drops the answers older than a time.
DELETE FROM idempotency WHERE shard = $1::integer AND recorded_at < $2::timestamptz;

-- name: extend
-- Makes partitions ahead of the head; answers how many.
SELECT extend_log($1::bigint);

-- name: partitions_left
-- How many positions the existing partitions can still take.
SELECT coalesce(max(substring(c.relname FROM '\d+$')::bigint + 1) * 2000000 - $1::bigint, 0)
FROM pg_inherits AS i
JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE i.inhparent = 'events'::regclass;
