-- What lies between two events of one subject, up to position $1: family, label values, how often, and the microseconds (or
-- numbers) together. Written from the specification and the list of events, and apart from the service.

-- name: quarantine_age
-- From a quarantine to the retry or the cancellation that ends it.
WITH ends AS (
    SELECT
        kind,
        recorded_at,
        data ->> 'was' AS was,
        lag(recorded_at) OVER (PARTITION BY campaign, unit ORDER BY position) AS since
    FROM events
    WHERE position <= $1::bigint AND kind IN ('unit.quarantined', 'unit.quarantine_cleared', 'unit.cancelled')
)
SELECT
    'muster_quarantine_age_seconds' AS family,
    ARRAY[CASE kind WHEN 'unit.quarantine_cleared' THEN 'retry' ELSE 'discard' END] AS labels,
    count(*),
    sum(round(extract(epoch FROM recorded_at - since) * 1000000))::bigint
FROM ends
WHERE kind = 'unit.quarantine_cleared' OR (kind = 'unit.cancelled' AND was = 'quarantined')
GROUP BY 2;

-- name: skip_cascade
-- Runs of skips in what a campaign's card is folded from; one counts with the event that comes after it.
WITH told AS (
    SELECT
        campaign,
        position,
        kind = 'unit.skipped' AS skipped,
        count(*) FILTER (WHERE kind <> 'unit.skipped') OVER (PARTITION BY campaign ORDER BY position) AS run,
        max(position) FILTER (WHERE kind <> 'unit.skipped') OVER (PARTITION BY campaign) AS last
    FROM events
    WHERE position <= $1::bigint
        AND campaign IS NOT NULL
        AND (kind LIKE 'unit.%' OR kind LIKE 'units.%' OR kind LIKE 'campaign.%' OR kind LIKE 'recovery.%')
        AND kind NOT IN ('campaign.created', 'unit.late_result')
), cascades AS (
    SELECT count(*) AS size
    FROM told
    WHERE skipped AND position < last
    GROUP BY campaign, run
)
SELECT 'muster_skip_cascade_units', '{}'::text[], count(*), sum(size)::bigint
FROM cascades;

-- name: heartbeat_interval
-- From a worker's last sign of life to a heartbeat. A change of level says when the worker was heard last; what a person orders
-- is a sign only where it is the first word of a worker.
WITH words AS (
    SELECT
        worker,
        position,
        recorded_at,
        kind,
        CASE kind
            WHEN 'worker.level_changed' THEN recorded_at - ((data ->> 'age')::numeric * 1000000)::bigint * interval '1 us'
            ELSE recorded_at
        END AS heard_at
    FROM events
    WHERE position <= $1::bigint AND worker IS NOT NULL AND (kind LIKE 'worker.%' OR kind = 'unit.claimed')
    UNION ALL
    SELECT worker, position, recorded_at, 'beat', recorded_at
    FROM heartbeats
    WHERE position <= $1::bigint AND worker IS NOT NULL
), signs AS (
    SELECT
        worker,
        position,
        recorded_at,
        kind,
        CASE
            WHEN row_number() OVER (PARTITION BY worker ORDER BY position) = 1 THEN recorded_at
            WHEN kind NOT IN ('worker.deregistered', 'worker.draining', 'worker.fenced') THEN heard_at
        END AS heard_at
    FROM words
), intervals AS (
    SELECT
        kind,
        recorded_at,
        max(heard_at) OVER (PARTITION BY worker ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS since
    FROM signs
)
SELECT
    'muster_heartbeat_interval_seconds',
    '{}'::text[],
    count(*),
    sum(round(extract(epoch FROM recorded_at - since) * 1000000))::bigint
FROM intervals
WHERE kind = 'beat' AND recorded_at <> since;

-- name: waves
-- Waves: how wide they were at their first claim, how they ended and how long that took, and the last one of each campaign. A unit
-- is in the wave after the last of what it depends on.
WITH RECURSIVE added AS (
    SELECT campaign, position, recorded_at, item ->> 'key' AS unit, coalesce(item -> 'depends_on', '[]') AS parents
    FROM events
    CROSS JOIN LATERAL jsonb_array_elements(data -> 'units') AS item
    WHERE position <= $1::bigint AND kind = 'units.added'
), edges AS (
    SELECT campaign, unit, jsonb_array_elements_text(parents) AS parent
    FROM added
), levels AS (
    SELECT campaign, unit, 1 AS wave
    FROM added
    WHERE parents = '[]'
    UNION
    SELECT e.campaign, e.unit, l.wave + 1
    FROM levels AS l
    JOIN edges AS e ON e.campaign = l.campaign AND e.parent = l.unit
), places AS (
    SELECT campaign, unit, max(wave) AS wave
    FROM levels
    GROUP BY campaign, unit
), steps AS (
    SELECT campaign, unit, position, recorded_at, false AS claimed, 1 AS units, 1 AS opened, 0 AS done
    FROM added
    UNION ALL
    SELECT
        campaign,
        unit,
        position,
        recorded_at,
        kind = 'unit.claimed',
        0,
        CASE
            WHEN kind = 'unit.claimed' OR data ->> 'was' = 'quarantined' THEN 0
            WHEN kind IN ('unit.quarantine_cleared', 'unit.unskipped') THEN 1
            ELSE -1
        END,
        (kind = 'unit.completed')::integer
    FROM events
    WHERE position <= $1::bigint
        AND kind IN (
            'unit.claimed', 'unit.completed', 'unit.quarantined', 'unit.quarantine_cleared', 'unit.skipped', 'unit.unskipped',
            'unit.cancelled'
        )
), course AS (
    SELECT
        campaign,
        wave,
        position,
        recorded_at,
        opened,
        min(position) FILTER (WHERE claimed) OVER waves AS began,
        min(recorded_at) FILTER (WHERE claimed) OVER waves AS began_at,
        sum(units) OVER so_far AS units,
        sum(opened) OVER so_far AS open,
        sum(done) OVER so_far AS done
    FROM steps
    JOIN places USING (campaign, unit)
    WINDOW
        waves AS (PARTITION BY campaign, wave),
        so_far AS (PARTITION BY campaign, wave ORDER BY position RANGE UNBOUNDED PRECEDING)
), ends AS (
    SELECT
        ARRAY[CASE WHEN done = units THEN 'complete' WHEN done > 0 THEN 'partial' ELSE 'failed' END] AS outcome,
        round(extract(epoch FROM recorded_at - began_at) * 1000000) AS us
    FROM course
    WHERE open = 0 AND opened < 0 AND position > began
)
SELECT 'muster_wave_units', '{}'::text[], count(*), sum(units)::bigint FROM course WHERE position = began
UNION ALL
SELECT 'muster_campaign_wave', ARRAY[campaign], max(wave), 0 FROM course WHERE position = began GROUP BY campaign
UNION ALL
SELECT 'muster_waves_total', outcome, count(*), 0 FROM ends GROUP BY outcome
UNION ALL
SELECT 'muster_wave_duration_seconds', outcome, count(*), sum(us)::bigint FROM ends GROUP BY outcome;
