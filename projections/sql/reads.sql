-- What people and programs read, from the live generation of the cards and from the state.

-- name: campaign
-- One campaign's card with its quota's, and the database's time.
SELECT c.card, q.card AS quota, clock_timestamp() AS at
FROM checkpoint AS k
JOIN campaign_card AS c ON c.shard = k.shard AND c.generation = k.generation AND c.campaign = $2::text
LEFT JOIN quota_card AS q ON q.shard = k.shard AND q.generation = k.generation AND q.quota = c.card ->> 'quota'
WHERE k.shard = $1::integer
    AND k.live;

-- name: campaigns
-- The next campaigns by name, of a state and with labels if asked.
SELECT c.card, q.card AS quota, clock_timestamp() AS at
FROM checkpoint AS k
JOIN campaign_card AS c ON c.shard = k.shard AND c.generation = k.generation
LEFT JOIN quota_card AS q ON q.shard = k.shard AND q.generation = k.generation AND q.quota = c.card ->> 'quota'
WHERE k.shard = $1::integer
    AND k.live
    AND c.campaign > $2::text
    AND ($3::text IS NULL OR c.state = $3::text)
    AND c.labels @> $4::jsonb
    AND c.labels ?& $5::text[]
ORDER BY c.campaign
LIMIT $6::integer;

-- name: worker
-- One worker's card.
SELECT w.card, clock_timestamp() AS at
FROM checkpoint AS k
JOIN worker_card AS w ON w.shard = k.shard AND w.generation = k.generation AND w.worker = $2::text
WHERE k.shard = $1::integer
    AND k.live;

-- name: offers
-- The campaigns that would give a unit to anybody now, with the time since when their next one is ready: a step into
-- units_in_claim_order for each open campaign.
SELECT c.name, c.labels, next.ready_at
FROM engine AS g
JOIN campaigns AS c ON c.shard = g.shard
LEFT JOIN quotas AS q ON q.shard = c.shard AND q.key = c.quota
CROSS JOIN LATERAL (
    SELECT ready_at
    FROM units
    WHERE shard = c.shard AND campaign = c.name AND state = 'ready'
    ORDER BY grp, priority DESC, seq
    LIMIT 1
) AS next
WHERE g.shard = $1::integer
    AND g.paused_at IS NULL
    AND g.in_use < g.pool_size
    AND c.completed_at IS NULL
    AND c.cancelled_at IS NULL
    AND c.ready > 0
    AND c.auto
    AND c.paused_at IS NULL
    AND c.tripped IS NULL
    AND c.running < (c.policy ->> 'concurrency')::integer
    AND q.closed_at IS NULL
    AND (
        c.policy ->> 'groups' = 'none'
        OR (
            SELECT ready
            FROM groups
            WHERE shard = c.shard AND campaign = c.name AND ready + held > 0
            ORDER BY grp
            LIMIT 1
        ) > 0
    );

-- name: workers
-- The next workers by id, of a level and with a claim in a campaign if asked; only a watched worker has a level.
SELECT w.card, clock_timestamp() AS at
FROM checkpoint AS k
JOIN worker_card AS w ON w.shard = k.shard AND w.generation = k.generation
WHERE k.shard = $1::integer
    AND k.live
    AND w.worker > $2::text
    AND (
        $3::text IS NULL
        OR (
            w.card ->> 'level' = $3::text
            AND (w.card -> 'claims' <> '{}'::jsonb OR (w.card ->> 'state' = 'active' AND (w.card ->> 'registered')::boolean))
        )
    )
    AND (
        $4::text IS NULL
        OR EXISTS (SELECT FROM jsonb_each(w.card -> 'claims') AS held WHERE held.value ->> 'campaign' = $4::text)
    )
ORDER BY w.worker
LIMIT $5::integer;

-- name: quota
-- One quota's card.
SELECT q.card
FROM checkpoint AS k
JOIN quota_card AS q ON q.shard = k.shard AND q.generation = k.generation AND q.quota = $2::text
WHERE k.shard = $1::integer
    AND k.live;

-- name: quotas
-- The next quotas by key.
SELECT q.card
FROM checkpoint AS k
JOIN quota_card AS q ON q.shard = k.shard AND q.generation = k.generation
WHERE k.shard = $1::integer
    AND k.live
    AND q.quota > $2::text
ORDER BY q.quota
LIMIT $3::integer;

-- name: engine
-- The engine's card; none before the first event.
SELECT g.card
FROM checkpoint AS k
JOIN engine_card AS g ON g.shard = k.shard AND g.generation = k.generation
WHERE k.shard = $1::integer
    AND k.live;

-- name: quarantine
-- The next quarantined units of a campaign by key, with the text of the last screen.
SELECT q.card, s.text AS screen
FROM checkpoint AS k
JOIN quarantine_card AS q ON q.shard = k.shard AND q.generation = k.generation AND q.campaign = $2::text
LEFT JOIN screens AS s ON s.shard = k.shard AND s.screen_id = q.card ->> 'screen_id'
WHERE k.shard = $1::integer
    AND k.live
    AND q.unit > $3::text
    AND ($4::text IS NULL OR q.card ->> 'reason' = $4::text)
ORDER BY q.unit
LIMIT $5::integer;

-- name: known
-- Whether a campaign exists.
SELECT EXISTS (SELECT FROM campaigns WHERE shard = $1::integer AND name = $2::text);

-- name: units
-- The next units of a campaign by key, served by the primary key.
SELECT
    key, state, grp AS group, priority, attempts, parks, claims, worker, state = 'running' AS token_active, due_at, resume_at,
    error, reason, updated_at
FROM units
WHERE shard = $1::integer
    AND campaign = $2::text
    AND key > $3::text
    AND ($4::integer IS NULL OR grp = $4::integer)
    AND ($5::text IS NULL OR strpos(lower(key), lower($5::text)) > 0)
ORDER BY key
LIMIT $6::integer;

-- name: units_of_wave
-- The next units of a wave behind the first by key, served by units_of_wave.
SELECT
    u.key, u.state, u.grp AS group, u.priority, u.attempts, u.parks, u.claims, u.worker, u.state = 'running' AS token_active,
    u.due_at, u.resume_at, u.error, u.reason, u.updated_at
FROM checkpoint AS k
JOIN unit_wave AS w ON w.shard = k.shard AND w.generation = k.generation AND w.campaign = $2::text AND w.wave = $7::integer
JOIN units AS u ON u.shard = w.shard AND u.campaign = w.campaign AND u.key = w.unit
WHERE k.shard = $1::integer
    AND k.live
    AND w.unit > $3::text
    AND ($4::integer IS NULL OR u.grp = $4::integer)
    AND ($5::text IS NULL OR strpos(lower(u.key), lower($5::text)) > 0)
    AND ($8::text IS NULL OR u.state = $8::text)
ORDER BY w.unit
LIMIT $6::integer;

-- name: units_of_first_wave
-- The next units that depend on nothing by key, served by the primary key and dependencies_of_child.
SELECT
    u.key, u.state, u.grp AS group, u.priority, u.attempts, u.parks, u.claims, u.worker, u.state = 'running' AS token_active,
    u.due_at, u.resume_at, u.error, u.reason, u.updated_at
FROM units AS u
WHERE u.shard = $1::integer
    AND u.campaign = $2::text
    AND u.key > $3::text
    AND ($4::integer IS NULL OR u.grp = $4::integer)
    AND ($5::text IS NULL OR strpos(lower(u.key), lower($5::text)) > 0)
    AND ($7::text IS NULL OR u.state = $7::text)
    AND NOT EXISTS (
        SELECT FROM dependencies AS d WHERE d.shard = u.shard AND d.campaign = u.campaign AND d.child = u.key OFFSET 0
    )
ORDER BY u.key
LIMIT $6::integer;

-- name: waves
-- The next waves of a campaign with their first keys: of the first wave those that depend on nothing.
SELECT
    w.card,
    CASE
        WHEN w.wave > 1
        THEN ARRAY(
            SELECT p.unit
            FROM unit_wave AS p
            WHERE p.shard = w.shard AND p.generation = w.generation AND p.campaign = w.campaign AND p.wave = w.wave
            ORDER BY p.unit
            LIMIT $5::integer
        )
        ELSE ARRAY(
            SELECT u.key
            FROM units AS u
            WHERE u.shard = w.shard
                AND u.campaign = w.campaign
                AND NOT EXISTS (
                    SELECT FROM dependencies AS d WHERE d.shard = u.shard AND d.campaign = u.campaign AND d.child = u.key OFFSET 0
                )
            ORDER BY u.key
            LIMIT $5::integer
        )
    END AS keys
FROM checkpoint AS k
JOIN wave_card AS w ON w.shard = k.shard AND w.generation = k.generation AND w.campaign = $2::text
WHERE k.shard = $1::integer
    AND k.live
    AND w.wave > $3::integer
ORDER BY w.wave
LIMIT $4::integer;

-- name: units_in_state
-- The next units of a campaign in one state by key, served by units_by_state.
SELECT
    key, state, grp AS group, priority, attempts, parks, claims, worker, state = 'running' AS token_active, due_at, resume_at,
    error, reason, updated_at
FROM units
WHERE shard = $1::integer
    AND campaign = $2::text
    AND key > $3::text
    AND ($4::integer IS NULL OR grp = $4::integer)
    AND ($5::text IS NULL OR strpos(lower(key), lower($5::text)) > 0)
    AND state = $7::text
ORDER BY key
LIMIT $6::integer;

-- name: unit
-- One unit with everything that the state knows of it, what it depends on, and its last screen.
SELECT
    u.key, u.state, u.grp AS group, u.priority, u.attempts, u.parks, u.claims, u.worker,
    u.state = 'running' AS token_active, u.due_at, u.resume_at, u.error, u.reason, u.updated_at, u.campaign, u.payload,
    u.estimate_s, u.kind, u.fix_of, u.because_of, u.ready_at, u.claimed_at, coalesce(c.session, u.session) AS session,
    c.lease_until, c.progress, c.note, c.output_at, coalesce(c.screen_id, u.screen_id) AS screen_id,
    (SELECT text FROM screens WHERE shard = u.shard AND screen_id = coalesce(c.screen_id, u.screen_id)) AS screen,
    ARRAY(
        SELECT parent
        FROM dependencies
        WHERE shard = u.shard AND campaign = u.campaign AND child = u.key
        ORDER BY parent
    ) AS depends_on
FROM units AS u
LEFT JOIN claims AS c ON c.shard = u.shard AND c.campaign = u.campaign AND c.unit = u.key
WHERE u.shard = $1::integer
    AND u.campaign = $2::text
    AND u.key = $3::text;

-- name: story
-- The facts of one unit in the order of the log, served by events_of_unit.
SELECT
    position, kind, schema, campaign, unit, worker, recorded_at, correlation_id, span_id, causation, actor, data
FROM events
WHERE shard = $1::integer
    AND campaign = $2::text
    AND unit = $3::text
    AND position > $4::bigint
ORDER BY position
LIMIT $5::integer;

-- name: beats_of_attempts
-- What the last heartbeat with a usage, and the last with a session, said in each of some stretches of a unit's life, served
-- by heartbeats_of_unit.
SELECT
    stretch.begun,
    (
        SELECT h.usage
        FROM heartbeats AS h
        WHERE h.shard = $1::integer
            AND h.campaign = $2::text
            AND h.unit = $3::text
            AND h.position > stretch.begun
            AND h.position < stretch.ended
            AND h.usage IS NOT NULL
        ORDER BY h.position DESC
        LIMIT 1
    ) AS usage,
    (
        SELECT h.session
        FROM heartbeats AS h
        WHERE h.shard = $1::integer
            AND h.campaign = $2::text
            AND h.unit = $3::text
            AND h.position > stretch.begun
            AND h.position < stretch.ended
            AND h.session IS NOT NULL
        ORDER BY h.position DESC
        LIMIT 1
    ) AS session
FROM unnest($4::bigint[], $5::bigint[]) AS stretch (begun, ended);

-- name: facts
-- The next facts up to a position that match; the plan is made for the filters that are given.
SELECT position, kind, campaign, unit, worker, recorded_at, correlation_id, actor, data
FROM events
WHERE shard = $1::integer
    AND position > $2::bigint
    AND position <= $3::bigint
    AND ($5::text IS NULL OR campaign = $5::text)
    AND ($6::text IS NULL OR unit = $6::text)
    AND ($7::text IS NULL OR worker = $7::text)
    AND ($8::text[] IS NULL OR kind = ANY($8::text[]))
ORDER BY position
LIMIT $4::integer;

-- name: beats
-- The next heartbeats up to a position that match.
SELECT
    position, campaign, unit, worker, recorded_at, correlation_id, span_id, causation, actor,
    token, progress, note, session, idle, alive, output_at, usage, screen_id
FROM heartbeats
WHERE shard = $1::integer
    AND position > $2::bigint
    AND position <= $3::bigint
    AND ($5::text IS NULL OR campaign = $5::text)
    AND ($6::text IS NULL OR unit = $6::text)
    AND ($7::text IS NULL OR worker = $7::text)
    AND ($8::boolean IS NULL OR (unit IS NULL) = $8::boolean)
ORDER BY position
LIMIT $4::integer;

-- name: custom_plans
-- Lets this transaction's plans know the filters' values.
SET LOCAL plan_cache_mode = force_custom_plan;

-- name: quarantined_errors
-- The next units that are in quarantine by key, with their errors, from the state that a retry is decided on; served by
-- units_by_state.
SELECT key, error
FROM units
WHERE shard = $1::integer
    AND campaign = $2::text
    AND state = 'quarantined'
    AND key > $3::text
    AND ($4::text IS NULL OR reason = $4::text)
ORDER BY key
LIMIT $5::integer;

-- name: investigations
-- The next investigations in the order of their requests, of a state and of a campaign if asked; served by
-- investigations_in_order.
SELECT
    i.id, i.campaign, i.unit, i.state, i.reason, i.attempts, i.error, i.exit_code, i.requested_at, i.worker, i.claimed_at,
    i.until, i.ended_at, i.fix_unit, i.root_cause, i.why
FROM investigations AS i
WHERE i.shard = $1::integer
    AND i.position > coalesce((SELECT a.position FROM investigations AS a WHERE a.shard = $1::integer AND a.id = $2::text), 0)
    AND ($3::text IS NULL OR i.state = $3::text)
    AND ($4::text IS NULL OR i.campaign = $4::text)
ORDER BY i.position
LIMIT $5::integer;

-- name: investigation
-- One investigation.
SELECT
    i.id, i.campaign, i.unit, i.state, i.reason, i.attempts, i.error, i.exit_code, i.requested_at, i.worker, i.claimed_at,
    i.until, i.ended_at, i.fix_unit, i.root_cause, i.why
FROM investigations AS i
WHERE i.shard = $1::integer
    AND i.id = $2::text;

-- name: recoveries
-- The next plans of a state, the oldest first: an id is a position in hexadecimal.
SELECT id, campaign, resumable, preserved, last_position, state, detected_at, ended_at, by
FROM recoveries
WHERE shard = $1::integer
    AND (length(id), id) > (length($2::text), $2::text)
    AND state = $3::text
ORDER BY length(id), id
LIMIT $4::integer;

-- name: recovery
-- One plan.
SELECT id, campaign, resumable, preserved, last_position, state, detected_at, ended_at, by
FROM recoveries
WHERE shard = $1::integer
    AND id = $2::text;

-- name: striking_units
-- Units of a campaign for a bundle, those that failed first, in each state by key; served by units_by_state. The screen is
-- that of the first few.
SELECT
    u.key, u.state, u.grp AS group, u.priority, u.attempts, u.parks, u.claims, u.worker, u.due_at, u.resume_at, u.error,
    u.reason, u.because_of, u.kind, u.fix_of, u.updated_at, u.screen_id
FROM unnest($3::text[]) WITH ORDINALITY AS wanted (state, place)
CROSS JOIN LATERAL (
    SELECT *
    FROM units
    WHERE shard = $1::integer
        AND campaign = $2::text
        AND state = wanted.state
    ORDER BY key
    LIMIT $4::integer
) AS u
ORDER BY wanted.place, u.key
LIMIT $4::integer;

-- name: last_facts
-- The last facts of a campaign, newest first; served by events_of_campaign.
SELECT position, kind, campaign, unit, worker, recorded_at, correlation_id, actor, data
FROM events
WHERE shard = $1::integer
    AND campaign = $2::text
ORDER BY position DESC
LIMIT $3::integer;

-- name: clock
-- The database's time.
SELECT clock_timestamp() AS at, $1::integer AS shard;

-- name: ledger_now
-- The live cards of a campaign, the engine and the quotas whose gates are closed; steps on primary keys.
SELECT
    k.generation,
    k.position,
    c.card,
    e.card AS engine,
    (
        SELECT array_agg(q.quota)
        FROM quota_card AS q
        WHERE q.shard = k.shard AND q.generation = k.generation AND q.card ->> 'reason' IS NOT NULL
    ) AS closed
FROM checkpoint AS k
JOIN campaign_card AS c ON c.shard = k.shard AND c.generation = k.generation AND c.campaign = $2::text
LEFT JOIN engine_card AS e ON e.shard = k.shard AND e.generation = k.generation
WHERE k.shard = $1::integer
    AND k.live;

-- name: ledger_mark
-- The last mark of a campaign up to an instant, and the position of the one after it; served by the primary key.
SELECT
    m.mark,
    (
        SELECT n.position
        FROM ledger_mark AS n
        WHERE n.shard = m.shard
            AND n.generation = m.generation
            AND n.campaign = m.campaign
            AND (n.at_us, n.position) > (m.at_us, m.position)
        ORDER BY n.at_us, n.position
        LIMIT 1
    ) AS next
FROM ledger_mark AS m
WHERE m.shard = $1::integer
    AND m.generation = $2::integer
    AND m.campaign = $3::text
    AND m.at_us <= $4::bigint
ORDER BY m.at_us DESC, m.position DESC
LIMIT 1;

-- name: ledger_edge
-- The facts of a campaign between two positions, and what concerns every campaign, up to an instant; served by
-- events_of_campaign and events_of_kind.
SELECT
    position, kind, schema, campaign, unit, worker, recorded_at, correlation_id, span_id, causation, actor, data
FROM events
WHERE shard = $1::integer
    AND campaign = $2::text
    AND position > $3::bigint
    AND position <= $4::bigint
    AND recorded_at <= $5::timestamptz
UNION ALL
SELECT
    position, kind, schema, campaign, unit, worker, recorded_at, correlation_id, span_id, causation, actor, data
FROM events
WHERE shard = $1::integer
    AND kind = ANY($6::text[])
    AND position > $3::bigint
    AND position <= $4::bigint
    AND recorded_at <= $5::timestamptz
ORDER BY position;

-- name: ledger_groups
-- The groups that some units were in after a position, served by the primary key.
SELECT DISTINCT ON (g.unit) g.unit, g.grp
FROM unnest($4::text[]) AS asked (unit)
JOIN unit_group AS g
    ON g.shard = $1::integer AND g.generation = $2::integer AND g.campaign = $3::text AND g.unit = asked.unit
WHERE g.position <= $5::bigint
ORDER BY g.unit, g.position DESC;

-- name: silence
-- How long workers were silent in a campaign up to an instant, and how much of what was told after it, up to another one and so soon
-- that it may reach back, lies before it; served by the primary key.
SELECT
    coalesce((
        SELECT s.total_us
        FROM silence AS s
        WHERE s.shard = $1::integer AND s.generation = $2::integer AND s.campaign = $3::text AND s.at_us <= $4::bigint
        ORDER BY s.at_us DESC, s.position DESC
        LIMIT 1
    ), 0) AS total_us,
    coalesce((
        SELECT sum($4::bigint - s.since_us)
        FROM silence AS s
        WHERE s.shard = $1::integer
            AND s.generation = $2::integer
            AND s.campaign = $3::text
            AND s.at_us > $4::bigint
            AND s.at_us <= $5::bigint
            AND s.since_us < $4::bigint
    ), 0)::bigint AS across_us;
