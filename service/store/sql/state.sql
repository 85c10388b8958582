-- name: campaigns
-- Campaigns by name, served by the primary key, each with its groups that have something open: number, ready, held in turn.
SELECT
    c.name, c.title, c.policy, c.labels, c.auto, c.quota, c.brief, c.brief_rev, c.deadline, c.version, c.created_at,
    c.started_at, c.completed_at, c.cancelled_at, c.outcome, c.paused_at, c.paused_by, c.paused_reason, c.consecutive,
    c.failures, c.tripped, c.last_claim, c.exported_at, c.open_fanouts,
    c.blocked, c.ready, c.delayed, c.parked, c.running, c.done, c.quarantined, c.skipped, c.cancelled,
    ARRAY(
        SELECT unnest(ARRAY[g.grp, g.ready, g.held])
        FROM groups AS g
        WHERE g.shard = c.shard
            AND g.campaign = c.name
            AND g.ready + g.held > 0
    ) AS groups
FROM campaigns AS c
WHERE c.shard = $1::integer
    AND c.name = ANY($2::text[]);

-- name: fairest
-- The names of the next campaigns that may give a unit, in the order of `claiming.share_key`, but for those loaded already and those
-- on a shut quota. All are read by campaigns_open, narrowly, and their groups looked at only until there are enough. No count stands
-- in that index or its condition, so that a claim rewrites the campaign's row on its page.
SELECT turn.name
FROM (
    SELECT name, policy ->> 'groups' AS groups, running::double precision / concurrency AS load, last_claim
    FROM campaigns
    CROSS JOIN LATERAL (SELECT (policy ->> 'concurrency')::integer) AS most (concurrency)
    WHERE shard = $1::integer
        AND completed_at IS NULL
        AND cancelled_at IS NULL
        AND ready > 0
        AND running < concurrency
        AND ($4::boolean OR (auto AND paused_at IS NULL AND tripped IS NULL))
        AND name <> ALL($2::text[])
        AND (quota IS NULL OR quota <> ALL($5::text[]))
    ORDER BY load, last_claim, name COLLATE "C"
    OFFSET 0
) AS turn
WHERE turn.groups = 'none'
    OR (
        SELECT g.ready
        FROM groups AS g
        WHERE g.shard = $1::integer
            AND g.campaign = turn.name
            AND g.ready + g.held > 0
        ORDER BY g.grp
        LIMIT 1
    ) > 0
ORDER BY turn.load, turn.last_claim, turn.name COLLATE "C"
LIMIT $3::integer;

-- name: with_work
-- The names of a few campaigns that have a ready unit, whatever stands in its way, but for those loaded already.
SELECT name
FROM campaigns
WHERE shard = $1::integer
    AND completed_at IS NULL
    AND cancelled_at IS NULL
    AND ready > 0
    AND name <> ALL($2::text[])
ORDER BY name
LIMIT $3::integer;

-- name: quotas
-- Quotas by key.
SELECT
    key, reason, closed_at, resume_at, opened_at, ramped, utilization, resets_at, read_at, consecutive_failures,
    failing_since, last_failure_kind, next_poll_s, policy
FROM quotas
WHERE shard = $1::integer
    AND key = ANY($2::text[]);

-- name: all_quotas
-- Every quota; there are few.
SELECT
    key, reason, closed_at, resume_at, opened_at, ramped, utilization, resets_at, read_at, consecutive_failures,
    failing_since, last_failure_kind, next_poll_s, policy
FROM quotas
WHERE shard = $1::integer;

-- name: workers
-- Workers by id.
SELECT worker, level_at, beat_at, state, registered, capacity, labels, version, level, alive, held
FROM workers
WHERE shard = $1::integer
    AND worker = ANY($2::text[]);

-- name: claims
-- Claims by token, served by the primary key.
SELECT
    token, campaign, unit, worker, fence, attempt, mode, claimed_at, lease_s, lease_until, beat_at, moved_at, output_at,
    progress, note, session, idle_count, screen_id
FROM claims
WHERE shard = $1::integer
    AND token = ANY($2::text[]);

-- name: held
-- Claims by token, each with the unit that it holds, both served by their primary keys.
SELECT
    c.token, c.campaign, c.unit, c.worker, c.fence, c.attempt, c.mode, c.claimed_at, c.lease_s, c.lease_until, c.beat_at,
    c.moved_at, c.output_at, c.progress, c.note, c.session, c.idle_count, c.screen_id,
    u.campaign, u.key, u.state, u.grp AS group, u.priority, u.seq, u.payload, u.updated_at, u.estimate_s, u.kind, u.fix_of,
    u.attempts, u.parks, u.claims, u.token, u.worker, u.session, u.due_at, u.resume_at, u.reason, u.error, u.screen_id,
    u.waits_for, u.dependents, u.settled, u.because_of, u.ready_at, u.claimed_at, u.first_ready_at
FROM claims AS c
JOIN units AS u ON u.shard = c.shard AND u.campaign = c.campaign AND u.key = c.unit
WHERE c.shard = $1::integer
    AND c.token = ANY($2::text[]);

-- name: claims_of_workers
-- The claims that workers hold; the table is small and is read as a whole.
SELECT
    token, campaign, unit, worker, fence, attempt, mode, claimed_at, lease_s, lease_until, beat_at, moved_at, output_at,
    progress, note, session, idle_count, screen_id
FROM claims
WHERE shard = $1::integer
    AND worker = ANY($2::text[]);

-- name: claims_of_campaigns
-- Every claim of campaigns; the table is small and is read as a whole.
SELECT
    token, campaign, unit, worker, fence, attempt, mode, claimed_at, lease_s, lease_until, beat_at, moved_at, output_at,
    progress, note, session, idle_count, screen_id
FROM claims
WHERE shard = $1::integer
    AND campaign = ANY($2::text[]);

-- name: units
-- Units by campaign and key, served by the primary key.
SELECT
    u.campaign, u.key, u.state, u.grp AS group, u.priority, u.seq, u.payload, u.updated_at, u.estimate_s, u.kind, u.fix_of,
    u.attempts, u.parks, u.claims, u.token, u.worker, u.session, u.due_at, u.resume_at, u.reason, u.error, u.screen_id,
    u.waits_for, u.dependents, u.settled, u.because_of, u.ready_at, u.claimed_at, u.first_ready_at
FROM unnest($2::text[], $3::text[]) AS asked (campaign, key)
JOIN units AS u ON u.shard = $1::integer AND u.campaign = asked.campaign AND u.key = asked.key;

-- name: candidates
-- The next units of each campaign in the order of claims, served by units_in_claim_order: the order of that index, or the
-- plan would walk past every finished unit.
SELECT
    u.campaign, u.key, u.state, u.grp AS group, u.priority, u.seq, u.payload, u.updated_at, u.estimate_s, u.kind, u.fix_of,
    u.attempts, u.parks, u.claims, u.token, u.worker, u.session, u.due_at, u.resume_at, u.reason, u.error, u.screen_id,
    u.waits_for, u.dependents, u.settled, u.because_of, u.ready_at, u.claimed_at, u.first_ready_at
FROM unnest($2::text[], $3::integer[]) AS wanted (campaign, count)
CROSS JOIN LATERAL (
    SELECT *
    FROM units
    WHERE shard = $1::integer
        AND campaign = wanted.campaign
        AND state = 'ready'
    ORDER BY grp, priority DESC, seq
    LIMIT wanted.count
) AS u;

-- name: open_units
-- The next units of a campaign that are not final, those who run first, for a cancellation in rounds; served by units_by_state.
SELECT u.key
FROM unnest(ARRAY['running', 'ready', 'delayed', 'parked', 'blocked', 'quarantined']) AS unfinished (state)
CROSS JOIN LATERAL (
    SELECT key
    FROM units
    WHERE shard = $1::integer
        AND campaign = $2::text
        AND state = unfinished.state
    ORDER BY key
    LIMIT $3::integer
) AS u
LIMIT $3::integer;

-- name: descendants
-- The edges below units, nearest first and up to a number, for what follows from their end.
WITH RECURSIVE edge (campaign, parent, child) AS (
    SELECT d.campaign, d.parent, d.child
    FROM unnest($2::text[], $3::text[]) AS root (campaign, key)
    JOIN dependencies AS d ON d.shard = $1::integer AND d.campaign = root.campaign AND d.parent = root.key
    UNION
    SELECT d.campaign, d.parent, d.child
    FROM edge
    JOIN dependencies AS d ON d.shard = $1::integer AND d.campaign = edge.campaign AND d.parent = edge.child
)
SELECT campaign, parent, child FROM edge LIMIT $4::integer;

-- name: children
-- The edges directly below units.
SELECT d.campaign, d.parent, d.child
FROM unnest($2::text[], $3::text[]) AS root (campaign, key)
JOIN dependencies AS d ON d.shard = $1::integer AND d.campaign = root.campaign AND d.parent = root.key;

-- name: parents
-- The edges directly above units.
SELECT d.campaign, d.parent, d.child
FROM unnest($2::text[], $3::text[]) AS leaf (campaign, key)
JOIN dependencies AS d ON d.shard = $1::integer AND d.campaign = leaf.campaign AND d.child = leaf.key;
