-- The first row in which the live tables and the rebuilt ones differ, as two documents; NULL stands for a row that is not there.
-- State is held against muster_shadow, cards and series of one generation against those of another.

-- name: engine
-- The engine.
SELECT to_jsonb(l) AS live, to_jsonb(r) AS rebuilt
FROM public.engine AS l
FULL JOIN muster_shadow.engine AS r USING (shard)
WHERE ROW(l.*) IS DISTINCT FROM ROW(r.*)
LIMIT 1;

-- name: campaigns
-- Campaigns.
SELECT to_jsonb(l) AS live, to_jsonb(r) AS rebuilt
FROM public.campaigns AS l
FULL JOIN muster_shadow.campaigns AS r USING (shard, name)
WHERE ROW(l.*) IS DISTINCT FROM ROW(r.*)
LIMIT 1;

-- name: groups
-- Groups of campaigns.
SELECT to_jsonb(l) AS live, to_jsonb(r) AS rebuilt
FROM public.groups AS l
FULL JOIN muster_shadow.groups AS r USING (shard, campaign, grp)
WHERE ROW(l.*) IS DISTINCT FROM ROW(r.*)
LIMIT 1;

-- name: units
-- Units.
SELECT to_jsonb(l) AS live, to_jsonb(r) AS rebuilt
FROM public.units AS l
FULL JOIN muster_shadow.units AS r USING (shard, campaign, key)
WHERE ROW(l.*) IS DISTINCT FROM ROW(r.*)
LIMIT 1;

-- name: dependencies
-- Edges between units.
SELECT to_jsonb(l) AS live, to_jsonb(r) AS rebuilt
FROM public.dependencies AS l
FULL JOIN muster_shadow.dependencies AS r USING (shard, campaign, parent, child)
WHERE ROW(l.*) IS DISTINCT FROM ROW(r.*)
LIMIT 1;

-- name: fanouts
-- How far what became of units has reached their dependents.
SELECT to_jsonb(l) AS live, to_jsonb(r) AS rebuilt
FROM public.fanouts AS l
FULL JOIN muster_shadow.fanouts AS r USING (shard, campaign, unit)
WHERE ROW(l.*) IS DISTINCT FROM ROW(r.*)
LIMIT 1;

-- name: claims
-- Claims.
SELECT to_jsonb(l) AS live, to_jsonb(r) AS rebuilt
FROM public.claims AS l
FULL JOIN muster_shadow.claims AS r USING (shard, token)
WHERE ROW(l.*) IS DISTINCT FROM ROW(r.*)
LIMIT 1;

-- name: workers
-- Workers.
SELECT to_jsonb(l) AS live, to_jsonb(r) AS rebuilt
FROM public.workers AS l
FULL JOIN muster_shadow.workers AS r USING (shard, worker)
WHERE ROW(l.*) IS DISTINCT FROM ROW(r.*)
LIMIT 1;

-- name: quotas
-- Quotas.
SELECT to_jsonb(l) AS live, to_jsonb(r) AS rebuilt
FROM public.quotas AS l
FULL JOIN muster_shadow.quotas AS r USING (shard, key)
WHERE ROW(l.*) IS DISTINCT FROM ROW(r.*)
LIMIT 1;

-- name: investigations
-- Investigations.
SELECT to_jsonb(l) AS live, to_jsonb(r) AS rebuilt
FROM public.investigations AS l
FULL JOIN muster_shadow.investigations AS r USING (shard, id)
WHERE ROW(l.*) IS DISTINCT FROM ROW(r.*)
LIMIT 1;

-- name: recoveries
-- Recovery plans.
SELECT to_jsonb(l) AS live, to_jsonb(r) AS rebuilt
FROM public.recoveries AS l
FULL JOIN muster_shadow.recoveries AS r USING (shard, id)
WHERE ROW(l.*) IS DISTINCT FROM ROW(r.*)
LIMIT 1;

-- name: engine_card
-- The engine's card.
SELECT to_jsonb(l) AS live, to_jsonb(r) AS rebuilt
FROM (SELECT shard, card FROM engine_card WHERE shard = $1::integer AND generation = $2::integer) AS l
FULL JOIN (SELECT shard, card FROM engine_card WHERE shard = $1::integer AND generation = $3::integer) AS r USING (shard)
WHERE ROW(l.*) IS DISTINCT FROM ROW(r.*)
LIMIT 1;

-- name: campaign_card
-- Campaign cards.
SELECT to_jsonb(l) AS live, to_jsonb(r) AS rebuilt
FROM (SELECT campaign, state, labels, card FROM campaign_card WHERE shard = $1::integer AND generation = $2::integer) AS l
FULL JOIN (SELECT campaign, state, labels, card FROM campaign_card WHERE shard = $1::integer AND generation = $3::integer) AS r
    USING (campaign)
WHERE ROW(l.*) IS DISTINCT FROM ROW(r.*)
LIMIT 1;

-- name: worker_card
-- Worker cards.
SELECT to_jsonb(l) AS live, to_jsonb(r) AS rebuilt
FROM (SELECT worker, card FROM worker_card WHERE shard = $1::integer AND generation = $2::integer) AS l
FULL JOIN (SELECT worker, card FROM worker_card WHERE shard = $1::integer AND generation = $3::integer) AS r USING (worker)
WHERE ROW(l.*) IS DISTINCT FROM ROW(r.*)
LIMIT 1;

-- name: quota_card
-- Quota cards.
SELECT to_jsonb(l) AS live, to_jsonb(r) AS rebuilt
FROM (SELECT quota, card FROM quota_card WHERE shard = $1::integer AND generation = $2::integer) AS l
FULL JOIN (SELECT quota, card FROM quota_card WHERE shard = $1::integer AND generation = $3::integer) AS r USING (quota)
WHERE ROW(l.*) IS DISTINCT FROM ROW(r.*)
LIMIT 1;

-- name: quarantine_card
-- The quarantine.
SELECT to_jsonb(l) AS live, to_jsonb(r) AS rebuilt
FROM (SELECT campaign, unit, card FROM quarantine_card WHERE shard = $1::integer AND generation = $2::integer) AS l
FULL JOIN (SELECT campaign, unit, card FROM quarantine_card WHERE shard = $1::integer AND generation = $3::integer) AS r
    USING (campaign, unit)
WHERE ROW(l.*) IS DISTINCT FROM ROW(r.*)
LIMIT 1;

-- name: wave_card
-- Waves.
SELECT to_jsonb(l) AS live, to_jsonb(r) AS rebuilt
FROM (SELECT campaign, wave, card FROM wave_card WHERE shard = $1::integer AND generation = $2::integer) AS l
FULL JOIN (SELECT campaign, wave, card FROM wave_card WHERE shard = $1::integer AND generation = $3::integer) AS r
    USING (campaign, wave)
WHERE ROW(l.*) IS DISTINCT FROM ROW(r.*)
LIMIT 1;

-- name: unit_wave
-- The waves that units are in.
SELECT to_jsonb(l) AS live, to_jsonb(r) AS rebuilt
FROM (SELECT campaign, unit, wave FROM unit_wave WHERE shard = $1::integer AND generation = $2::integer) AS l
FULL JOIN (SELECT campaign, unit, wave FROM unit_wave WHERE shard = $1::integer AND generation = $3::integer) AS r
    USING (campaign, unit)
WHERE ROW(l.*) IS DISTINCT FROM ROW(r.*)
LIMIT 1;

-- name: ledger_mark
-- The marks of ledgers.
SELECT to_jsonb(l) AS live, to_jsonb(r) AS rebuilt
FROM (SELECT campaign, at_us, position, mark FROM ledger_mark WHERE shard = $1::integer AND generation = $2::integer) AS l
FULL JOIN (SELECT campaign, at_us, position, mark FROM ledger_mark WHERE shard = $1::integer AND generation = $3::integer) AS r
    USING (campaign, at_us, position)
WHERE ROW(l.*) IS DISTINCT FROM ROW(r.*)
LIMIT 1;

-- name: silence
-- The silences of dead workers.
SELECT to_jsonb(l) AS live, to_jsonb(r) AS rebuilt
FROM (SELECT campaign, at_us, position, since_us, total_us FROM silence WHERE shard = $1::integer AND generation = $2::integer) AS l
FULL JOIN (SELECT campaign, at_us, position, since_us, total_us FROM silence WHERE shard = $1::integer AND generation = $3::integer) AS r
    USING (campaign, at_us, position)
WHERE ROW(l.*) IS DISTINCT FROM ROW(r.*)
LIMIT 1;

-- name: unit_group
-- The groups that units are in.
SELECT to_jsonb(l) AS live, to_jsonb(r) AS rebuilt
FROM (SELECT campaign, unit, position, grp FROM unit_group WHERE shard = $1::integer AND generation = $2::integer) AS l
FULL JOIN (SELECT campaign, unit, position, grp FROM unit_group WHERE shard = $1::integer AND generation = $3::integer) AS r
    USING (campaign, unit, position)
WHERE ROW(l.*) IS DISTINCT FROM ROW(r.*)
LIMIT 1;

-- name: series
-- Series, with the time and position of their last change.
SELECT to_jsonb(l) AS live, to_jsonb(r) AS rebuilt
FROM (
    SELECT family, labels, value, sum_us, buckets, created_at, position, exemplars, exponential
    FROM series
    WHERE shard = $1::integer AND generation = $2::integer
) AS l
FULL JOIN (
    SELECT family, labels, value, sum_us, buckets, created_at, position, exemplars, exponential
    FROM series
    WHERE shard = $1::integer AND generation = $3::integer
) AS r USING (family, labels)
WHERE ROW(l.*) IS DISTINCT FROM ROW(r.*)
LIMIT 1;
