-- name: investigations
-- Investigations by id, served by the primary key.
SELECT
    id, campaign, unit, position, state, reason, attempts, error, exit_code, screen_id, requested_at, token, worker,
    claimed_at, until, ended_at, fix_unit, root_cause, why
FROM investigations
WHERE shard = $1::integer
    AND id = ANY($2::text[]);

-- name: open_investigations
-- The investigation that is open for each unit, served by unit_has_one_investigation.
SELECT
    i.id, i.campaign, i.unit, i.position, i.state, i.reason, i.attempts, i.error, i.exit_code, i.screen_id, i.requested_at,
    i.token, i.worker, i.claimed_at, i.until, i.ended_at, i.fix_unit, i.root_cause, i.why
FROM unnest($2::text[], $3::text[]) AS asked (campaign, unit)
JOIN investigations AS i
    ON i.shard = $1::integer AND i.campaign = asked.campaign AND i.unit = asked.unit AND i.state IN ('requested', 'claimed');

-- name: investigating
-- The campaigns that have an unclaimed investigation, one probe of investigations_waiting for each.
SELECT c.name
FROM campaigns AS c
WHERE c.shard = $1::integer
    AND c.cancelled_at IS NULL
    AND EXISTS (
        SELECT FROM investigations AS i WHERE i.shard = c.shard AND i.campaign = c.name AND i.state = 'requested'
    );

-- name: next_investigations
-- The oldest requests of each campaign, served by investigations_waiting.
SELECT
    i.id, i.campaign, i.unit, i.position, i.state, i.reason, i.attempts, i.error, i.exit_code, i.screen_id, i.requested_at,
    i.token, i.worker, i.claimed_at, i.until, i.ended_at, i.fix_unit, i.root_cause, i.why
FROM unnest($2::text[], $3::integer[]) AS wanted (campaign, count)
CROSS JOIN LATERAL (
    SELECT *
    FROM investigations
    WHERE shard = $1::integer
        AND campaign = wanted.campaign
        AND state = 'requested'
    ORDER BY position
    LIMIT wanted.count
) AS i;

-- name: save_investigations
-- Investigations as they are after the batch.
INSERT INTO investigations (
    shard, id, campaign, unit, position, state, reason, attempts, error, exit_code, screen_id, requested_at, token, worker,
    claimed_at, until, ended_at, fix_unit, root_cause, why
)
SELECT
    $1::integer, id, campaign, unit, position, state, reason, attempts, error, exit_code, screen_id, requested_at, token, worker,
    claimed_at, until, ended_at, fix_unit, root_cause, why
FROM unnest(
    $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::integer[], $9::text[], $10::integer[],
    $11::text[], $12::timestamptz[], $13::text[], $14::text[], $15::timestamptz[], $16::timestamptz[], $17::timestamptz[],
    $18::text[], $19::text[], $20::text[]
) AS row (
    id, campaign, unit, position, state, reason, attempts, error, exit_code, screen_id, requested_at, token, worker,
    claimed_at, until, ended_at, fix_unit, root_cause, why
)
ON CONFLICT (shard, id) DO UPDATE
SET state = excluded.state, token = excluded.token, worker = excluded.worker, claimed_at = excluded.claimed_at,
    until = excluded.until, ended_at = excluded.ended_at, fix_unit = excluded.fix_unit, root_cause = excluded.root_cause,
    why = excluded.why;

-- name: recoveries
-- Plans by id, served by the primary key.
SELECT id, campaign, resumable, preserved, last_position, state, detected_at, ended_at, by
FROM recoveries
WHERE shard = $1::integer
    AND id = ANY($2::text[]);

-- name: open_recoveries
-- The open plan of each campaign, served by campaign_has_one_plan.
SELECT id, campaign, resumable, preserved, last_position, state, detected_at, ended_at, by
FROM recoveries
WHERE shard = $1::integer
    AND campaign = ANY($2::text[])
    AND state = 'open';

-- name: last_recoveries
-- The last plan of each campaign; there are few plans, and they are read as a whole.
SELECT DISTINCT ON (campaign) id, campaign, resumable, preserved, last_position, state, detected_at, ended_at, by
FROM recoveries
WHERE shard = $1::integer
    AND campaign = ANY($2::text[])
ORDER BY campaign, detected_at DESC;

-- name: save_recovery
-- Inserts or updates a plan.
INSERT INTO recoveries (shard, id, campaign, resumable, preserved, last_position, state, detected_at, ended_at, by)
VALUES (
    $1::integer, $2::text, $3::text, $4::text[], $5::integer, $6::bigint, $7::text, $8::timestamptz, $9::timestamptz, $10::text
)
ON CONFLICT (shard, id) DO UPDATE
SET state = excluded.state, ended_at = excluded.ended_at, by = excluded.by;
