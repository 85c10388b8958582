-- Traces: the histories of units whose attempts or waits ended, and the position up to which spans were sent.

-- name: first_recorded_at
-- When the first event of the log was recorded.
SELECT least(
    (SELECT recorded_at FROM events WHERE shard = $1::integer ORDER BY position LIMIT 1),
    (SELECT recorded_at FROM heartbeats WHERE shard = $1::integer ORDER BY position LIMIT 1)
);

-- name: bound
-- The head of the log, and the position up to which the next page reaches: that of its last fact, else the head.
SELECT
    head.position AS head,
    coalesce(
        (
            SELECT position
            FROM events
            WHERE shard = $1::integer AND position > $2::bigint
            ORDER BY position
            OFFSET $3::integer - 1
            LIMIT 1
        ),
        head.position
    ) AS upto
FROM (
    SELECT greatest(
        (SELECT max(position) FROM events WHERE shard = $1::integer),
        (SELECT max(position) FROM heartbeats WHERE shard = $1::integer),
        0::bigint
    ) AS position
) AS head;

-- name: units
-- The units of which an event of these kinds stands in a range of positions, served by the primary key.
SELECT DISTINCT campaign, unit
FROM events
WHERE shard = $1::integer
    AND position > $2::bigint
    AND position <= $3::bigint
    AND kind = ANY($4::text[])
    AND unit IS NOT NULL;

-- name: histories
-- The events of units up to a position, each from its last claim but one before a range, or from its first event; served by
-- events_of_unit, one unit at a time. Results and evidence are left out: they may be large, and no span needs them.
SELECT
    position, kind, schema, wanted.campaign, wanted.unit, worker, recorded_at, correlation_id, span_id, causation, actor,
    CASE WHEN kind = 'unit.completed' THEN data || '{"result": null, "evidence": null}' ELSE data END AS data
FROM unnest($2::text[], $3::text[]) AS wanted (campaign, unit)
CROSS JOIN LATERAL (
    SELECT position, kind, schema, worker, recorded_at, correlation_id, span_id, causation, actor, data
    FROM events
    WHERE shard = $1::integer
        AND campaign = wanted.campaign
        AND unit = wanted.unit
        AND position <= $5::bigint
        AND kind = ANY($6::text[])
        AND position >= coalesce(
            (
                SELECT position
                FROM events
                WHERE shard = $1::integer
                    AND campaign = wanted.campaign
                    AND unit = wanted.unit
                    AND kind = 'unit.claimed'
                    AND position <= $4::bigint
                ORDER BY position DESC
                OFFSET 1
                LIMIT 1
            ),
            0::bigint
        )
    OFFSET 0
) AS event
ORDER BY wanted.campaign, wanted.unit, position;

-- name: origins
-- The trace in which units were added, else that in which their campaign was created, where the caller named a span. $4 is how
-- many unit numbers each event of an import has.
SELECT
    u.campaign,
    u.key AS unit,
    CASE WHEN added.span_id IS NULL THEN created.correlation_id ELSE added.correlation_id END AS trace_id,
    coalesce(added.span_id, created.span_id) AS span_id
FROM unnest($2::text[], $3::text[]) AS wanted (campaign, unit)
JOIN units AS u ON u.shard = $1::integer AND u.campaign = wanted.campaign AND u.key = wanted.unit
CROSS JOIN LATERAL (
    SELECT correlation_id, span_id FROM events WHERE shard = u.shard AND position = u.seq / $4::bigint OFFSET 0
) AS added
CROSS JOIN LATERAL (
    SELECT correlation_id, span_id
    FROM events
    WHERE shard = u.shard AND campaign = u.campaign
    ORDER BY position
    LIMIT 1
) AS created
WHERE coalesce(added.span_id, created.span_id) IS NOT NULL;

-- name: sent_position
-- Up to which position traces were sent; no row before the first time.
SELECT position FROM trace_checkpoint WHERE shard = $1::integer;

-- name: begin_at
-- The first checkpoint; another replica may have been faster.
INSERT INTO trace_checkpoint (shard, position) VALUES ($1::integer, $2::bigint) ON CONFLICT DO NOTHING;

-- name: advance
-- Moves the checkpoint from where the page began; no row if another replica has sent the page too.
UPDATE trace_checkpoint
SET position = $3::bigint
WHERE shard = $1::integer AND position = $2::bigint
RETURNING position;

-- name: last_before
-- The last position recorded before a time, 0 when there is none. Scans every event; only for requests by a person.
SELECT greatest(
    (SELECT max(position) FROM events WHERE shard = $1::integer AND recorded_at < $2::timestamptz),
    (SELECT max(position) FROM heartbeats WHERE shard = $1::integer AND recorded_at < $2::timestamptz),
    0::bigint
);
