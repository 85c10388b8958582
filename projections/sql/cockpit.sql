-- Queries of the pages of the cockpit, beside the reads of the API. Each returns a bounded number of rows, however large the campaign.

-- name: campaigns
-- A page of campaign cards, sorted by state (running first), name, age or failures. Reads the cards of all campaigns, a thousand in a
-- few milliseconds, and returns one page.
WITH ordered AS (
    SELECT
        c.campaign,
        CASE $2::text
            WHEN 'name' THEN c.campaign
            WHEN 'newest' THEN to_char(
                99999999999999999 - extract(epoch FROM (c.card ->> 'created_at')::timestamptz) * 1000000, 'FM00000000000000000'
            ) || c.campaign
            WHEN 'failing' THEN to_char(
                999999999 - coalesce((c.card #>> '{counts,quarantined}')::bigint, 0), 'FM000000000'
            ) || c.campaign
            ELSE CASE c.state WHEN 'running' THEN '1' WHEN 'paused' THEN '2' WHEN 'completed' THEN '3' ELSE '4' END || c.campaign
        END COLLATE "C" AS cursor
    FROM checkpoint AS k
    JOIN campaign_card AS c ON c.shard = k.shard AND c.generation = k.generation
    WHERE k.shard = $1::integer
        AND k.live
        AND ($4::text IS NULL OR c.state = $4::text)
        AND ($5::text IS NULL OR strpos(c.campaign, lower($5::text)) > 0)
        AND c.labels @> $6::jsonb
), shown AS MATERIALIZED (
    SELECT cursor, campaign
    FROM ordered
    WHERE cursor > $3::text
    ORDER BY cursor
    LIMIT $7::integer
)
SELECT p.cursor, c.card, q.card AS quota, clock_timestamp() AS at
FROM shown AS p
JOIN checkpoint AS k ON k.shard = $1::integer AND k.live
JOIN campaign_card AS c ON c.shard = k.shard AND c.generation = k.generation AND c.campaign = p.campaign
LEFT JOIN quota_card AS q ON q.shard = k.shard AND q.generation = k.generation AND q.quota = c.card ->> 'quota'
ORDER BY p.cursor;

-- name: states
-- How many campaigns are in each state.
SELECT c.state, count(*) AS campaigns
FROM checkpoint AS k
JOIN campaign_card AS c ON c.shard = k.shard AND c.generation = k.generation
WHERE k.shard = $1::integer
    AND k.live
GROUP BY c.state;

-- name: decisions
-- The events at some positions, newest first, served by the primary key.
SELECT position, kind, campaign, unit, worker, recorded_at, correlation_id, actor, data
FROM events
WHERE shard = $1::integer
    AND position = ANY($2::bigint[])
ORDER BY position DESC;

-- name: last_screens
-- The ends of the last screens of some units of a campaign.
SELECT u.key, right(s.text, 6000) AS screen, u.error, u.attempts, u.state
FROM units AS u
LEFT JOIN screens AS s ON s.shard = u.shard AND s.screen_id = u.screen_id
WHERE u.shard = $1::integer
    AND u.campaign = $2::text
    AND u.key = ANY($3::text[]);

-- name: live
-- The claims of a campaign by unit, with the level of their workers, served by unit_has_one_claim.
SELECT
    c.unit, c.worker, c.attempt, c.claimed_at, c.lease_until, c.beat_at, c.output_at, c.progress, c.note, c.mode,
    coalesce(w.level, 'healthy') AS level, clock_timestamp() AS at
FROM claims AS c
LEFT JOIN workers AS w ON w.shard = c.shard AND w.worker = c.worker
WHERE c.shard = $1::integer
    AND c.campaign = $2::text
    AND c.unit > $3::text
ORDER BY c.unit
LIMIT $4::integer;

-- name: units
-- The next units of a campaign whose key contains a text, within a bounded number of units after a key.
SELECT
    key, state, grp AS group, attempts, parks, worker, due_at, resume_at, error, reason, updated_at
FROM (
    SELECT key, state, grp, attempts, parks, worker, due_at, resume_at, error, reason, updated_at
    FROM units
    WHERE shard = $1::integer
        AND campaign = $2::text
        AND key > $3::text
        AND ($4::text IS NULL OR state = $4::text)
    ORDER BY key
    LIMIT $7::integer
) AS searched
WHERE ($5::text IS NULL OR strpos(lower(key), lower($5::text)) > 0)
ORDER BY key
LIMIT $6::integer;

-- name: last_searched
-- The last unit within that bound, after which a search goes on.
SELECT key
FROM units
WHERE shard = $1::integer
    AND campaign = $2::text
    AND key > $3::text
    AND ($4::text IS NULL OR state = $4::text)
ORDER BY key
OFFSET $5::integer - 1
LIMIT 1;

-- name: series
-- One series, served by the primary key.
SELECT r.value, r.sum_us, r.buckets
FROM checkpoint AS k
JOIN series AS r ON r.shard = k.shard AND r.generation = k.generation AND r.family = $2::text AND r.labels = $3::text[]
WHERE k.shard = $1::integer
    AND k.live;

-- name: families
-- The series of some families, served by the primary key.
SELECT r.family, r.labels, r.value, r.sum_us, r.buckets, r.exponential
FROM checkpoint AS k
JOIN series AS r ON r.shard = k.shard AND r.generation = k.generation AND r.family = ANY($2::text[])
WHERE k.shard = $1::integer
    AND k.live
ORDER BY r.family, r.labels;

-- name: heartbeats_of_unit
-- The heartbeats of one unit, one row for each claim, served by heartbeats_of_unit.
SELECT
    token, min(position) AS first, max(position) AS last, min(recorded_at) AS begun_at, max(recorded_at) AS ended_at,
    count(*) AS beats, (array_agg(note ORDER BY position DESC) FILTER (WHERE note IS NOT NULL))[1] AS note,
    (array_agg(progress ORDER BY position DESC) FILTER (WHERE progress IS NOT NULL))[1] AS progress
FROM heartbeats
WHERE shard = $1::integer
    AND campaign = $2::text
    AND unit = $3::text
GROUP BY token
ORDER BY min(position);

-- name: levels
-- How many watched workers are at each level.
SELECT
    CASE WHEN w.card ->> 'state' = 'active' THEN w.card ->> 'level' ELSE w.card ->> 'state' END AS level,
    count(*) AS workers
FROM checkpoint AS k
JOIN worker_card AS w ON w.shard = k.shard AND w.generation = k.generation
WHERE k.shard = $1::integer
    AND k.live
    AND (w.card -> 'claims' <> '{}'::jsonb OR (w.card ->> 'registered')::boolean)
GROUP BY 1;

-- name: newest
-- The newest events before a position that match, newest first, within a window of the log. Planned for the filters that are given.
SELECT position, kind, campaign, unit, worker, recorded_at, correlation_id, actor, data
FROM events
WHERE shard = $1::integer
    AND position < $2::bigint
    AND position >= $3::bigint
    AND ($4::text IS NULL OR campaign = $4::text)
    AND ($5::text IS NULL OR unit = $5::text)
    AND ($6::text IS NULL OR worker = $6::text)
    AND ($7::text[] IS NULL OR kind = ANY($7::text[]))
ORDER BY position DESC
LIMIT $8::integer;

-- name: open_plans
-- How many recovery plans wait for a decision, served by campaign_has_one_plan.
SELECT count(*) FROM recoveries WHERE shard = $1::integer AND state = 'open';

-- name: campaigns_of_quota
-- Campaigns that name a quota, those with most parked units first. Reads the cards of all campaigns, as their list does.
SELECT c.campaign, c.state, coalesce((c.card #>> '{counts,parked}')::bigint, 0) AS parked
FROM checkpoint AS k
JOIN campaign_card AS c ON c.shard = k.shard AND c.generation = k.generation
WHERE k.shard = $1::integer
    AND k.live
    AND c.card ->> 'quota' = $2::text
ORDER BY parked DESC, c.campaign
LIMIT $3::integer;
