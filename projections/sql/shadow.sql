-- A second set of the state tables, in a schema of its own under the same names.

-- name: alone
-- Nobody else has a second set from here on, or removes ours, until this session ends, however it ends.
SELECT pg_advisory_lock(x'6d7573746573'::bigint);

-- name: begin
-- An empty schema for the second set, once what an interrupted rebuild left is gone.
CREATE SCHEMA muster_shadow;

-- name: lay
-- Statements that make the tables as they are, without constraints and indexes: these are quicker built at the end.
SELECT format(
    'CREATE %s TABLE muster_shadow.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING STORAGE) %s',
    $2::text,
    c.relname,
    c.relname,
    'WITH (' || array_to_string(c.reloptions, ', ') || ')'
)
FROM pg_class AS c
WHERE c.oid = ANY($1::text[]::regclass[]);

-- name: constrain
-- Statements that give the tables the constraints they do not have yet, under the same names.
SELECT format('ALTER TABLE muster_shadow.%I ADD CONSTRAINT %I %s', t.relname, c.conname, pg_get_constraintdef(c.oid))
FROM pg_constraint AS c
JOIN pg_class AS t ON t.oid = c.conrelid
WHERE c.conrelid = ANY($1::text[]::regclass[])
    AND c.contype IN ('p', 'u', 'c')
    AND NOT EXISTS (
        SELECT
        FROM pg_constraint AS had
        WHERE had.conrelid = to_regclass(format('muster_shadow.%I', t.relname)) AND had.conname = c.conname
    )
ORDER BY c.contype DESC, c.conname;

-- name: index
-- Statements that give the tables the indexes that are no constraint's, under the same names.
SELECT replace(pg_get_indexdef(i.indexrelid), ' ON public.', ' ON muster_shadow.')
FROM pg_index AS i
WHERE i.indrelid = ANY($1::text[]::regclass[])
    AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = i.indexrelid);

-- name: grant
-- Statements that give the tables the rights that the others have.
SELECT format('GRANT %s ON muster_shadow.%I TO %I', string_agg(privilege_type, ', '), table_name, grantee)
FROM information_schema.role_table_grants
WHERE table_schema = 'public'
    AND table_name = ANY($1::text[])
    AND grantee <> grantor
GROUP BY table_name, grantee;

-- name: swap
-- Statements that put the second set in the place of the first, which is gone with its schema.
SELECT statement
FROM (
    SELECT 0 AS turn, 'CREATE SCHEMA muster_retired' AS statement
    UNION ALL
    SELECT 1, format('ALTER TABLE public.%I SET SCHEMA muster_retired', name) FROM unnest($1::text[]) AS name
    UNION ALL
    SELECT 2, format('ALTER TABLE muster_shadow.%I SET SCHEMA public', name) FROM unnest($1::text[]) AS name
    UNION ALL
    SELECT 3, 'DROP SCHEMA muster_retired CASCADE'
    UNION ALL
    SELECT 4, 'DROP SCHEMA muster_shadow CASCADE'
) AS plan
ORDER BY turn;

-- name: fleeting
-- How many tables of the second set would be empty after a crash of the server.
SELECT count(*)
FROM pg_class
WHERE relnamespace = 'muster_shadow'::regnamespace AND relkind = 'r' AND relpersistence <> 'p';

-- name: end
-- Nothing is left of the second set.
DROP SCHEMA IF EXISTS muster_shadow CASCADE;

-- name: path
-- Lets the store's own statements find the second set first.
SET search_path = muster_shadow, public;

-- name: take_units
-- Takes units out of the table and into memory.
DELETE FROM muster_shadow.units AS u
USING unnest($2::text[], $3::text[]) AS asked (campaign, key)
WHERE u.shard = $1::integer
    AND u.campaign = asked.campaign
    AND u.key = asked.key
RETURNING
    u.campaign, u.key, u.state, u.grp AS group, u.priority, u.seq, u.payload, u.updated_at, u.estimate_s, u.kind, u.fix_of,
    u.attempts, u.parks, u.claims, u.token, u.worker, u.session, u.due_at, u.resume_at, u.reason, u.error, u.screen_id,
    u.waits_for, u.dependents, u.settled, u.because_of, u.ready_at, u.claimed_at, u.first_ready_at;

-- name: forget
-- What an interrupted rebuild left of its generation.
DELETE FROM checkpoint WHERE shard = $1::integer AND NOT live;

-- name: forget_engine
-- The same of the engine's card.
DELETE FROM engine_card WHERE shard = $1::integer AND generation <> $2::integer;

-- name: forget_campaigns
-- The same of campaign cards.
DELETE FROM campaign_card WHERE shard = $1::integer AND generation <> $2::integer;

-- name: forget_workers
-- The same of worker cards.
DELETE FROM worker_card WHERE shard = $1::integer AND generation <> $2::integer;

-- name: forget_quotas
-- The same of quota cards.
DELETE FROM quota_card WHERE shard = $1::integer AND generation <> $2::integer;

-- name: forget_quarantine
-- The same of the quarantine.
DELETE FROM quarantine_card WHERE shard = $1::integer AND generation <> $2::integer;

-- name: forget_waves
-- The same of waves.
DELETE FROM wave_card WHERE shard = $1::integer AND generation <> $2::integer;

-- name: forget_unit_waves
-- The same of the units' waves.
DELETE FROM unit_wave WHERE shard = $1::integer AND generation <> $2::integer;

-- name: forget_snapshots
-- The same of snapshots of time accounts.
DELETE FROM ledger_mark WHERE shard = $1::integer AND generation <> $2::integer;

-- name: forget_dead_times
-- The same of dead times.
DELETE FROM silence WHERE shard = $1::integer AND generation <> $2::integer;

-- name: forget_groups
-- The same of the units' groups.
DELETE FROM unit_group WHERE shard = $1::integer AND generation <> $2::integer;

-- name: forget_series
-- The same of series.
DELETE FROM series WHERE shard = $1::integer AND generation <> $2::integer;

-- name: open_generation
-- A generation that nobody reads yet.
INSERT INTO checkpoint (shard, generation, position, live) VALUES ($1::integer, $2::integer, 0, false);

-- name: retire
-- Nobody reads this generation any more.
UPDATE checkpoint SET live = false WHERE shard = $1::integer AND live;

-- name: enliven
-- Everybody reads this generation from now on.
UPDATE checkpoint SET live = true WHERE shard = $1::integer AND generation = $2::integer;

-- name: imports
-- Where the large events are: each may bring a thousand units. Served by events_of_kind.
SELECT position
FROM events
WHERE shard = $1::integer
    AND kind = 'units.added'
    AND position > $2::bigint
    AND position <= $3::bigint
ORDER BY position;
