-- What `muster verify` asks of the tables.

-- name: states
-- The first campaign whose counts, units and imports do not agree, or that is over and has open units.
SELECT
    c.name,
    c.blocked + c.ready + c.delayed + c.parked + c.running + c.done + c.quarantined + c.skipped + c.cancelled AS counted,
    coalesce(u.found, 0) AS found,
    coalesce(a.added, 0) AS added,
    coalesce(u.open, 0) AS open
FROM campaigns AS c
LEFT JOIN (
    SELECT
        campaign,
        count(*) AS found,
        count(*) FILTER (WHERE state IN ('blocked', 'ready', 'delayed', 'parked', 'running')) AS open
    FROM units
    WHERE shard = $1::integer
    GROUP BY campaign
) AS u ON u.campaign = c.name
LEFT JOIN (
    SELECT campaign, sum(jsonb_array_length(data -> 'units')) AS added
    FROM events
    WHERE shard = $1::integer AND kind = 'units.added'
    GROUP BY campaign
) AS a ON a.campaign = c.name
WHERE c.shard = $1::integer
    AND (
        c.blocked + c.ready + c.delayed + c.parked + c.running + c.done + c.quarantined + c.skipped + c.cancelled
        <> coalesce(u.found, 0)
        OR coalesce(u.found, 0) <> coalesce(a.added, 0)
        OR (c.completed_at IS NOT NULL AND coalesce(u.open, 0) > 0)
    )
ORDER BY c.name
LIMIT 1;

-- name: doubled
-- The first command that was recorded twice. All events of a decision have one causation and one time; a second decision of the
-- same command has its causation and a time of its own.
SELECT causation, min(position) AS first, max(position) AS last
FROM (
    SELECT causation, recorded_at, position FROM events WHERE shard = $1::integer
    UNION ALL
    SELECT causation, recorded_at, position FROM heartbeats WHERE shard = $1::integer
) AS event
WHERE causation IS NOT NULL
GROUP BY causation
HAVING min(recorded_at) < max(recorded_at)
ORDER BY first
LIMIT 1;

-- name: kinds
-- How many events of each kind there are up to a position, and what was trimmed of the heartbeats.
SELECT kind, sum(count)::bigint AS count
FROM (
    SELECT kind, count(*) AS count
    FROM events
    WHERE shard = $1::integer AND position <= $2::bigint
    GROUP BY kind
    UNION ALL
    SELECT CASE WHEN unit IS NULL THEN 'worker.heartbeat' ELSE 'unit.heartbeat' END, count(*)
    FROM heartbeats
    WHERE shard = $1::integer AND position <= $2::bigint
    GROUP BY 1
) AS counted
GROUP BY kind;

-- name: cards
-- Every card of a generation as a document, by its table and its key; the places of units are left out.
SELECT 'engine_card' AS relation, '{}'::text[] AS key, card AS document
FROM engine_card
WHERE shard = $1::integer AND generation = $2::integer
UNION ALL
SELECT 'campaign_card', ARRAY[campaign], jsonb_build_object('state', state, 'labels', labels, 'card', card)
FROM campaign_card
WHERE shard = $1::integer AND generation = $2::integer
UNION ALL
SELECT 'worker_card', ARRAY[worker], card
FROM worker_card
WHERE shard = $1::integer AND generation = $2::integer
UNION ALL
SELECT 'quota_card', ARRAY[quota], card
FROM quota_card
WHERE shard = $1::integer AND generation = $2::integer
UNION ALL
SELECT 'quarantine_card', ARRAY[campaign, unit], card
FROM quarantine_card
WHERE shard = $1::integer AND generation = $2::integer
UNION ALL
SELECT 'wave_card', ARRAY[campaign, wave::text], card
FROM wave_card
WHERE shard = $1::integer AND generation = $2::integer;
