-- name: due_retries
-- Units whose rest is over, served by units_resting.
SELECT campaign, key
FROM units
WHERE shard = $1::integer
    AND state = 'delayed'
    AND due_at <= $2::timestamptz
ORDER BY due_at
LIMIT $3::integer;

-- name: due_parked
-- Units whose pause is over, served by units_parked.
SELECT campaign, key
FROM units
WHERE shard = $1::integer
    AND state = 'parked'
    AND resume_at <= $2::timestamptz
ORDER BY resume_at
LIMIT $3::integer;

-- name: freed
-- Units parked for a quota whose gate was opened before their time, served by units_by_state for the few campaigns on one.
SELECT u.campaign, u.key
FROM campaigns AS c
JOIN quotas AS q ON q.shard = c.shard AND q.key = c.quota AND q.closed_at IS NULL
JOIN units AS u ON u.shard = c.shard AND u.campaign = c.name AND u.state = 'parked' AND u.reason = 'rate_limit'
WHERE c.shard = $1::integer
    AND c.parked > 0
    AND u.resume_at > $2::timestamptz
LIMIT $3::integer;

-- name: lapsed
-- Claims whose lease is over, none before a full lease since workers could be heard, and none that an open plan is about; the table
-- is small and is read as a whole, an index would cost every heartbeat more.
SELECT c.token
FROM claims AS c
WHERE c.shard = $1::integer
    AND c.lease_until <= $2::timestamptz
    AND $4::timestamptz + make_interval(secs => c.lease_s) <= $2::timestamptz
    AND NOT EXISTS (
        SELECT
        FROM recoveries AS r
        WHERE r.shard = c.shard
            AND r.campaign = c.campaign
            AND r.state = 'open'
            AND c.beat_at < r.detected_at
    )
ORDER BY c.lease_until
LIMIT $3::integer;

-- name: suspects
-- Claims that a watchdog may take back, or whose worker is dead, and was heard since workers could be, or had the time that makes
-- it dead to be heard, but for claims that an open plan is about; the decision looks closer.
SELECT c.token
FROM claims AS c
JOIN campaigns AS g ON g.shard = c.shard AND g.name = c.campaign
JOIN workers AS w ON w.shard = c.shard AND w.worker = c.worker
WHERE c.shard = $1::integer
    AND (
        w.beat_at >= $4::timestamptz
        OR $4::timestamptz + make_interval(secs => (g.policy -> 'heartbeat' ->> 'dead_s')::double precision) <= $2::timestamptz
    )
    AND (
        w.level = 'dead'
        OR c.claimed_at < $2::timestamptz - make_interval(secs => (g.policy ->> 'max_duration_s')::double precision)
        OR c.moved_at < $2::timestamptz - make_interval(secs => (g.policy ->> 'idle_output_s')::double precision)
    )
    AND NOT EXISTS (
        SELECT
        FROM recoveries AS r
        WHERE r.shard = c.shard
            AND r.campaign = c.campaign
            AND r.state = 'open'
            AND c.beat_at < r.detected_at
    )
LIMIT $3::integer;

-- name: silent
-- Workers that were not heard for longer than the shortest warning of any campaign, or whose level may be too bad.
SELECT worker
FROM workers
WHERE shard = $1::integer
    AND state <> 'gone'
    AND (
        NOT alive
        OR beat_at < $2::timestamptz - make_interval(
            secs => least(
                30,
                (
                    SELECT min((g.policy -> 'heartbeat' ->> 'warn_s')::double precision)
                    FROM campaigns AS g
                    WHERE g.shard = $1::integer
                        AND g.running > 0
                )
            )
        )
    );

-- name: due_gates
-- Quotas whose gate may open again.
SELECT key
FROM quotas
WHERE shard = $1::integer
    AND closed_at IS NOT NULL
    AND resume_at <= $2::timestamptz;

-- name: cancelled
-- Cancelled campaigns that still have units to cancel.
SELECT name
FROM campaigns
WHERE shard = $1::integer
    AND cancelled_at IS NOT NULL
    AND blocked + ready + delayed + parked + running + quarantined > 0
LIMIT $2::integer;

-- name: over
-- Investigations that are to end: their time is over, or their campaign is cancelled; served by investigations_claimed and
-- unit_has_one_investigation.
(
    SELECT id
    FROM investigations
    WHERE shard = $1::integer
        AND state = 'claimed'
        AND until <= $2::timestamptz
    LIMIT $3::integer
)
UNION
(
    SELECT i.id
    FROM campaigns AS c
    JOIN investigations AS i ON i.shard = c.shard AND i.campaign = c.name AND i.state IN ('requested', 'claimed')
    WHERE c.shard = $1::integer
        AND c.cancelled_at IS NOT NULL
    LIMIT $3::integer
);

-- name: abandoned
-- Campaigns of which every claim died before workers could be heard, without a plan that is open or ended since; with the place
-- of the campaign's last fact. The decision looks closer.
SELECT
    dead.campaign,
    (
        SELECT e.position
        FROM events AS e
        WHERE e.shard = $1::integer
            AND e.campaign = dead.campaign
        ORDER BY e.position DESC
        LIMIT 1
    ) AS last_position
FROM (
    SELECT DISTINCT campaign
    FROM claims
    WHERE shard = $1::integer
        AND lease_until <= $2::timestamptz
        AND beat_at < $3::timestamptz
) AS dead
WHERE NOT EXISTS (
    SELECT
    FROM claims AS c
    JOIN workers AS w ON w.shard = c.shard AND w.worker = c.worker
    WHERE c.shard = $1::integer
        AND c.campaign = dead.campaign
        AND (c.lease_until > $2::timestamptz OR c.beat_at >= $3::timestamptz OR w.beat_at >= $3::timestamptz)
)
    AND NOT EXISTS (
        SELECT
        FROM recoveries AS r
        WHERE r.shard = $1::integer
            AND r.campaign = dead.campaign
            AND (r.state = 'open' OR r.ended_at >= $3::timestamptz)
    );

-- name: needless
-- Open plans that nobody need decide any more: they and the time of hearing are as old as $2 and $3 say, a worker of their units was
-- heard since or has ended one, or no unit is held by a dead claim. The decision looks closer.
SELECT r.id
FROM recoveries AS r
WHERE r.shard = $1::integer
    AND r.state = 'open'
    AND (
        greatest(r.detected_at, $3::timestamptz) <= $2::timestamptz
        OR EXISTS (
            SELECT
            FROM units AS u
            WHERE u.shard = r.shard
                AND u.campaign = r.campaign
                AND u.key = ANY(r.resumable)
                AND u.state IN ('done', 'delayed')
        )
        OR EXISTS (
            SELECT
            FROM claims AS c
            JOIN workers AS w ON w.shard = c.shard AND w.worker = c.worker
            WHERE c.shard = r.shard
                AND c.campaign = r.campaign
                AND c.claimed_at < r.detected_at
                AND w.beat_at >= r.detected_at
        )
        OR NOT EXISTS (
            SELECT
            FROM claims AS c
            WHERE c.shard = r.shard
                AND c.campaign = r.campaign
                AND c.beat_at < r.detected_at
        )
    );

-- name: soonest
-- When the next retry, resumption, gate, investigation, lease or round of a fan-out is due; no lease that an open plan is about was
-- due before now, $3.
SELECT least(
    (SELECT min(due_at) FROM units WHERE shard = $1::integer AND state = 'delayed'),
    (SELECT min(resume_at) FROM units WHERE shard = $1::integer AND state = 'parked'),
    (SELECT min(resume_at) FROM quotas WHERE shard = $1::integer AND closed_at IS NOT NULL),
    (SELECT min(until) FROM investigations WHERE shard = $1::integer AND state = 'claimed'),
    (SELECT min(begun_at) FROM fanouts WHERE shard = $1::integer),
    (
        SELECT min(lease.due_at)
        FROM claims AS c
        CROSS JOIN LATERAL (SELECT greatest(c.lease_until, $2::timestamptz + make_interval(secs => c.lease_s))) AS lease (due_at)
        WHERE c.shard = $1::integer
            AND (
                lease.due_at > $3::timestamptz
                OR NOT EXISTS (
                    SELECT
                    FROM recoveries AS r
                    WHERE r.shard = c.shard
                        AND r.campaign = c.campaign
                        AND r.state = 'open'
                        AND c.beat_at < r.detected_at
                )
            )
    )
);
