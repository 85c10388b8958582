-- name: spreads
-- How far what became of units has reached their dependents, served by the primary key.
SELECT s.campaign, s.unit, s.position, s.begun_at, s.counted, s.path, s.after
FROM unnest($2::text[], $3::text[]) AS asked (campaign, unit)
JOIN spreads AS s ON s.shard = $1::integer AND s.campaign = asked.campaign AND s.unit = asked.unit;

-- name: next_dependents
-- The next dependents of each of these spreads, a round of each at most; whoever was imported since its beginning knows already.
-- Served by the primary key of dependencies, in its order.
SELECT s.unit AS parent, u.*
FROM unnest($2::text[], $3::text[]) AS asked (campaign, unit)
JOIN spreads AS s ON s.shard = $1::integer AND s.campaign = asked.campaign AND s.unit = asked.unit
CROSS JOIN LATERAL (
    SELECT
        u.campaign, u.key, u.state, u.grp, u.priority, u.seq, u.payload, u.updated_at, u.estimate_s, u.kind, u.fix_of,
        u.attempts, u.parks, u.claims, u.token, u.worker, u.session, u.due_at, u.resume_at, u.reason, u.error, u.screen_id,
        u.waits_for, u.dependents, u.settled, u.because_of, u.ready_at, u.claimed_at, u.first_ready_at
    FROM dependencies AS d
    JOIN units AS u ON u.shard = d.shard AND u.campaign = d.campaign AND u.key = d.child
    WHERE d.shard = s.shard
        AND d.campaign = s.campaign
        AND d.parent = s.unit
        AND d.child > coalesce(s.after, '')
        AND u.seq < s.position * 1000
    ORDER BY d.child
    LIMIT $4::integer
) AS u
ORDER BY s.position, s.unit, u.key;

-- name: spreading
-- The oldest spreads, with how many depend on each.
SELECT s.campaign, s.unit, u.dependents
FROM spreads AS s
JOIN units AS u ON u.shard = s.shard AND u.campaign = s.campaign AND u.key = s.unit
WHERE s.shard = $1::integer
ORDER BY s.position, s.unit
LIMIT $2::integer;

-- name: unreached
-- The dependencies of a unit of which it has yet to learn what became of them, served by dependencies_of_child.
SELECT s.unit
FROM dependencies AS d
JOIN spreads AS s ON s.shard = d.shard AND s.campaign = d.campaign AND s.unit = d.parent
JOIN units AS u ON u.shard = d.shard AND u.campaign = d.campaign AND u.key = d.child
WHERE d.shard = $1::integer
    AND d.campaign = $2::text
    AND d.child = $3::text
    AND d.child > coalesce(s.after, '')
    AND u.seq < s.position * 1000
ORDER BY s.unit;

-- name: save_spreads
-- Spreads as they are after the batch.
INSERT INTO spreads (shard, campaign, unit, position, begun_at, counted, path, after)
SELECT
    $1::integer, campaign, unit, position, begun_at, counted, ARRAY(SELECT jsonb_array_elements_text(path)), after
FROM unnest($2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::boolean[], $7::jsonb[], $8::text[])
    AS row (campaign, unit, position, begun_at, counted, path, after)
ON CONFLICT (shard, campaign, unit) DO UPDATE
SET position = excluded.position, begun_at = excluded.begun_at, counted = excluded.counted, path = excluded.path,
    after = excluded.after;

-- name: end_spreads
-- Spreads that have reached everybody.
DELETE FROM spreads AS s
USING unnest($2::text[], $3::text[]) AS ended (campaign, unit)
WHERE s.shard = $1::integer
    AND s.campaign = ended.campaign
    AND s.unit = ended.unit;
