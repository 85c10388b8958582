-- Cards, series and their checkpoint. Everything is keyed by shard and generation: one generation is live, a rebuild writes
-- the next one beside it.

-- name: live
-- The generation that is read, and the position that it is true for.
SELECT generation, position, recorded_at
FROM checkpoint
WHERE shard = $1::integer
    AND live;

-- name: advance
-- Moves the checkpoint from where the fold began to an event of the log; no row, and somebody else was faster, or the log has lost what
-- was folded in a promotion. Served by the primary keys.
UPDATE checkpoint
SET position = $4::bigint, recorded_at = $5::timestamptz
WHERE shard = $1::integer
    AND generation = $2::integer
    AND position = $3::bigint
    AND (
        EXISTS (SELECT FROM events WHERE shard = $1::integer AND position = $4::bigint AND recorded_at = $5::timestamptz)
        OR EXISTS (SELECT FROM heartbeats WHERE shard = $1::integer AND position = $4::bigint AND recorded_at = $5::timestamptz)
    )
RETURNING position;

-- name: engine
-- The engine's card.
SELECT card FROM engine_card WHERE shard = $1::integer AND generation = $2::integer;

-- name: campaigns
-- Every campaign's card.
SELECT campaign AS key, card FROM campaign_card WHERE shard = $1::integer AND generation = $2::integer;

-- name: workers
-- Every worker's card.
SELECT worker AS key, card FROM worker_card WHERE shard = $1::integer AND generation = $2::integer;

-- name: quotas
-- Every quota's card.
SELECT quota AS key, card FROM quota_card WHERE shard = $1::integer AND generation = $2::integer ORDER BY quota;

-- name: series
-- Every series.
SELECT family, labels, value, sum_us, buckets, created_at, position, exemplars, exponential
FROM series
WHERE shard = $1::integer
    AND generation = $2::integer;

-- name: shown_series
-- The series that an exposition shows: of some families those of some subjects, of the others all.
SELECT family, labels, value, sum_us, buckets, created_at, position, exemplars, exponential
FROM series
WHERE shard = $1::integer
    AND generation = $2::integer
    AND (family <> ALL ($3::text[]) OR labels[1] = ANY ($4::text[]));

-- name: quarantined
-- The cards of some quarantined units, served by the primary key.
SELECT q.card
FROM unnest($3::text[], $4::text[]) AS asked (campaign, unit)
JOIN quarantine_card AS q
    ON q.shard = $1::integer AND q.generation = $2::integer AND q.campaign = asked.campaign AND q.unit = asked.unit;

-- name: save_engine
-- The engine's card after a page.
INSERT INTO engine_card (shard, generation, card)
VALUES ($1::integer, $2::integer, $3::jsonb)
ON CONFLICT (shard, generation) DO UPDATE SET card = excluded.card;

-- name: save_campaigns
-- Campaign cards after a page.
INSERT INTO campaign_card (shard, generation, campaign, state, labels, card)
SELECT $1::integer, $2::integer, campaign, state, labels, card
FROM unnest($3::text[], $4::text[], $5::jsonb[], $6::jsonb[]) AS row (campaign, state, labels, card)
ON CONFLICT (shard, generation, campaign) DO UPDATE
SET state = excluded.state, labels = excluded.labels, card = excluded.card;

-- name: save_workers
-- Worker cards after a page.
INSERT INTO worker_card (shard, generation, worker, card)
SELECT $1::integer, $2::integer, worker, card
FROM unnest($3::text[], $4::jsonb[]) AS row (worker, card)
ON CONFLICT (shard, generation, worker) DO UPDATE SET card = excluded.card;

-- name: save_quotas
-- Quota cards after a page.
INSERT INTO quota_card (shard, generation, quota, card)
SELECT $1::integer, $2::integer, quota, card
FROM unnest($3::text[], $4::jsonb[]) AS row (quota, card)
ON CONFLICT (shard, generation, quota) DO UPDATE SET card = excluded.card;

-- name: clear_quarantine
-- Units that left the quarantine.
DELETE FROM quarantine_card AS q
USING unnest($3::text[], $4::text[]) AS gone (campaign, unit)
WHERE q.shard = $1::integer
    AND q.generation = $2::integer
    AND q.campaign = gone.campaign
    AND q.unit = gone.unit;

-- name: save_quarantine
-- Units that came into quarantine.
INSERT INTO quarantine_card (shard, generation, campaign, unit, card)
SELECT $1::integer, $2::integer, campaign, unit, card
FROM unnest($3::text[], $4::text[], $5::jsonb[]) AS row (campaign, unit, card)
ON CONFLICT (shard, generation, campaign, unit) DO UPDATE SET card = excluded.card;

-- name: save_series
-- Series after a page, as absolute values. Buckets travel as text: an array of arrays of different lengths does not exist.
INSERT INTO series (shard, generation, family, labels, value, sum_us, buckets, created_at, position, exemplars, exponential)
SELECT
    $1::integer, $2::integer, family, labels::text[], value, sum_us, buckets::bigint[], created_at, position, exemplars, exponential
FROM unnest(
    $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[], $8::timestamptz[], $9::bigint[], $10::jsonb[], $11::jsonb[]
) AS row (family, labels, value, sum_us, buckets, created_at, position, exemplars, exponential)
ON CONFLICT (shard, generation, family, labels) DO UPDATE
SET
    value = excluded.value, sum_us = excluded.sum_us, buckets = excluded.buckets, created_at = excluded.created_at,
    position = excluded.position, exemplars = excluded.exemplars,
    exponential = excluded.exponential;

-- name: lag
-- Where the live fold stands and where the log does, at the database's time; the oldest event that is not folded yet. Steps
-- on primary keys.
SELECT
    clock_timestamp() AS at,
    k.generation,
    k.position,
    greatest(
        (SELECT max(position) FROM events WHERE shard = $1::integer),
        (SELECT max(position) FROM heartbeats WHERE shard = $1::integer),
        0::bigint
    ) AS head,
    coalesce(
        (SELECT recorded_at FROM events WHERE shard = $1::integer AND position = k.position + 1),
        (SELECT recorded_at FROM heartbeats WHERE shard = $1::integer AND position = k.position + 1)
    ) AS oldest_at
FROM checkpoint AS k
WHERE k.shard = $1::integer
    AND k.live;

-- name: bound
-- How far the next page may reach: the head of the log, and at most so many imports, each of which may bring a thousand units.
-- Served by the primary keys and events_of_kind.
SELECT least(
    $2::bigint + $3::bigint,
    greatest(
        (SELECT max(position) FROM events WHERE shard = $1::integer),
        (SELECT max(position) FROM heartbeats WHERE shard = $1::integer),
        0::bigint
    ),
    (
        SELECT position
        FROM events
        WHERE shard = $1::integer AND kind = 'units.added' AND position > $2::bigint
        ORDER BY position
        OFFSET $4::integer
        LIMIT 1
    )
);

-- name: unit_waves
-- The waves of some units, served by the primary key; who is not there is in the first.
SELECT w.campaign, w.unit, w.wave
FROM unnest($3::text[], $4::text[]) AS asked (campaign, unit)
JOIN unit_wave AS w
    ON w.shard = $1::integer AND w.generation = $2::integer AND w.campaign = asked.campaign AND w.unit = asked.unit;

-- name: waves
-- The cards of some waves, served by the primary key.
SELECT w.card
FROM unnest($3::text[], $4::integer[]) AS asked (campaign, wave)
JOIN wave_card AS w
    ON w.shard = $1::integer AND w.generation = $2::integer AND w.campaign = asked.campaign AND w.wave = asked.wave;

-- name: save_unit_waves
-- The waves of units that an import added behind the first.
INSERT INTO unit_wave (shard, generation, campaign, unit, wave)
SELECT $1::integer, $2::integer, campaign, unit, wave
FROM unnest($3::text[], $4::text[], $5::integer[]) AS row (campaign, unit, wave);

-- name: save_waves
-- Wave cards after a page.
INSERT INTO wave_card (shard, generation, campaign, wave, card)
SELECT $1::integer, $2::integer, campaign, wave, card
FROM unnest($3::text[], $4::integer[], $5::jsonb[]) AS row (campaign, wave, card)
ON CONFLICT (shard, generation, campaign, wave) DO UPDATE SET card = excluded.card;

-- name: groups
-- The groups of some units, served by the primary key; who is not there is in the default one.
SELECT DISTINCT ON (g.campaign, g.unit) g.campaign, g.unit, g.grp
FROM unnest($3::text[], $4::text[]) AS asked (campaign, unit)
JOIN unit_group AS g
    ON g.shard = $1::integer AND g.generation = $2::integer AND g.campaign = asked.campaign AND g.unit = asked.unit
ORDER BY g.campaign, g.unit, g.position DESC;

-- name: save_groups
-- The groups that units came into.
INSERT INTO unit_group (shard, generation, campaign, unit, position, grp)
SELECT $1::integer, $2::integer, campaign, unit, position, grp
FROM unnest($3::text[], $4::text[], $5::bigint[], $6::integer[]) AS row (campaign, unit, position, grp);

-- name: save_snapshots
-- Where ledgers stood.
INSERT INTO ledger_mark (shard, generation, campaign, at_us, position, mark)
SELECT $1::integer, $2::integer, campaign, at_us, position, mark
FROM unnest($3::text[], $4::bigint[], $5::bigint[], $6::jsonb[]) AS row (campaign, at_us, position, mark);

-- name: save_dead_times
-- The times for which workers held a claim and were gone.
INSERT INTO silence (shard, generation, campaign, at_us, position, since_us, total_us)
SELECT $1::integer, $2::integer, campaign, at_us, position, since_us, total_us
FROM unnest($3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
    AS row (campaign, at_us, position, since_us, total_us);
