-- name: fanouts
-- How far the fan-outs of units have come, served by the primary key.
SELECT f.campaign, f.unit, f.position, f.begun_at, f.counted, f.path, f.after
FROM unnest($2::text[], $3::text[]) AS asked (campaign, unit)
JOIN fanouts AS f ON f.shard = $1::integer AND f.campaign = asked.campaign AND f.unit = asked.unit;

-- name: next_dependents
-- The next dependents of each of these fan-outs, a round of each at most; units that were imported since it began know already.
-- Served by the primary key of dependencies, in its order.
SELECT f.unit AS parent, u.*
FROM unnest($2::text[], $3::text[]) AS asked (campaign, unit)
JOIN fanouts AS f ON f.shard = $1::integer AND f.campaign = asked.campaign AND f.unit = asked.unit
CROSS JOIN LATERAL (
    SELECT
        u.campaign, u.key, u.state, u.grp, u.priority, u.seq, u.payload, u.updated_at, u.estimate_s, u.kind, u.fix_of,
        u.attempts, u.parks, u.claims, u.token, u.worker, u.session, u.due_at, u.resume_at, u.reason, u.error, u.screen_id,
        u.waits_for, u.dependents, u.settled, u.because_of, u.ready_at, u.claimed_at, u.first_ready_at
    FROM dependencies AS d
    JOIN units AS u ON u.shard = d.shard AND u.campaign = d.campaign AND u.key = d.child
    WHERE d.shard = f.shard
        AND d.campaign = f.campaign
        AND d.parent = f.unit
        AND d.child > coalesce(f.after, '')
        AND u.seq < f.position * 1000
    ORDER BY d.child
    LIMIT $4::integer
) AS u
ORDER BY f.position, f.unit, u.key;

-- name: oldest_fanouts
-- The oldest fan-outs, with how many depend on each.
SELECT f.campaign, f.unit, u.dependents
FROM fanouts AS f
JOIN units AS u ON u.shard = f.shard AND u.campaign = f.campaign AND u.key = f.unit
WHERE f.shard = $1::integer
ORDER BY f.position, f.unit
LIMIT $2::integer;

-- name: unreached
-- The dependencies of a unit whose fan-out has yet to reach it, served by dependencies_of_child.
SELECT f.unit
FROM dependencies AS d
JOIN fanouts AS f ON f.shard = d.shard AND f.campaign = d.campaign AND f.unit = d.parent
JOIN units AS u ON u.shard = d.shard AND u.campaign = d.campaign AND u.key = d.child
WHERE d.shard = $1::integer
    AND d.campaign = $2::text
    AND d.child = $3::text
    AND d.child > coalesce(f.after, '')
    AND u.seq < f.position * 1000
ORDER BY f.unit;

-- name: save_fanouts
-- Fan-outs as they are after the batch.
INSERT INTO fanouts (shard, campaign, unit, position, begun_at, counted, path, after)
SELECT
    $1::integer, campaign, unit, position, begun_at, counted, ARRAY(SELECT jsonb_array_elements_text(path)), after
FROM unnest($2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::boolean[], $7::jsonb[], $8::text[])
    AS row (campaign, unit, position, begun_at, counted, path, after)
ON CONFLICT (shard, campaign, unit) DO UPDATE
SET position = excluded.position, begun_at = excluded.begun_at, counted = excluded.counted, path = excluded.path,
    after = excluded.after;

-- name: end_fanouts
-- Fan-outs that have reached everybody.
DELETE FROM fanouts AS f
USING unnest($2::text[], $3::text[]) AS ended (campaign, unit)
WHERE f.shard = $1::integer
    AND f.campaign = ended.campaign
    AND f.unit = ended.unit;
