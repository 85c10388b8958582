-- The gauges as the tables of the state give them: label values, then the number. The families that are not compared are in
-- `UNPROVEN` of `ops/prove/source.py`, each with its reason.

-- name: muster_campaigns
SELECT state, count(*) FROM (
    SELECT CASE
        WHEN cancelled_at IS NOT NULL THEN 'cancelled'
        WHEN completed_at IS NOT NULL THEN 'completed'
        WHEN paused_at IS NOT NULL THEN 'paused'
        ELSE 'running'
    END AS state
    FROM campaigns
) AS c
GROUP BY 1;

-- name: muster_campaign_info
SELECT name, name, coalesce(labels ->> 'project', ''), coalesce(labels ->> 'kind', ''), 1 FROM campaigns;

-- name: muster_campaign_state
SELECT name, CASE
    WHEN cancelled_at IS NOT NULL THEN 'cancelled'
    WHEN completed_at IS NOT NULL THEN 'completed'
    WHEN paused_at IS NOT NULL THEN 'paused'
    ELSE 'running'
END, 1
FROM campaigns;

-- name: muster_campaign_units
SELECT campaign, state, count(*) FROM units GROUP BY 1, 2;

-- name: muster_campaign_progress_ratio
SELECT campaign, (count(*) FILTER (WHERE state = 'done'))::numeric / count(*) FROM units GROUP BY 1;

-- name: muster_campaign_deadline_timestamp_seconds
SELECT name, extract(epoch FROM deadline) FROM campaigns WHERE deadline IS NOT NULL;

-- name: muster_campaign_started_timestamp_seconds
SELECT name, extract(epoch FROM started_at) FROM campaigns WHERE started_at IS NOT NULL;

-- name: muster_campaign_finished_timestamp_seconds
SELECT name, extract(epoch FROM coalesce(cancelled_at, completed_at))
FROM campaigns
WHERE coalesce(cancelled_at, completed_at) IS NOT NULL;

-- name: muster_campaign_last_progress_timestamp_seconds
SELECT c.name, extract(epoch FROM coalesce(max(e.recorded_at), c.started_at))
FROM campaigns AS c
LEFT JOIN events AS e ON e.campaign = c.name AND e.kind = 'unit.completed'
WHERE c.started_at IS NOT NULL
GROUP BY c.name, c.started_at;

-- name: muster_campaign_oldest_ready_timestamp_seconds
SELECT campaign, extract(epoch FROM min(ready_at)) FROM (
    SELECT campaign, ready_at, row_number() OVER (PARTITION BY campaign ORDER BY grp, priority DESC, seq) AS place
    FROM units
    WHERE state = 'ready'
) AS next
WHERE place <= 1000
GROUP BY 1;

-- name: muster_campaign_workers
SELECT campaign, count(DISTINCT worker) FROM claims GROUP BY 1;

-- name: muster_campaign_consecutive_failures
SELECT name, consecutive FROM campaigns;

-- name: muster_campaign_safety_cap
SELECT name, (policy -> 'breaker' ->> 'threshold')::integer FROM campaigns;

-- name: muster_campaign_paused
SELECT c.name, why.reason, 1
FROM campaigns AS c
CROSS JOIN engine AS e
LEFT JOIN quotas AS q ON q.key = c.quota
CROSS JOIN LATERAL (VALUES
    ('operator', c.paused_at IS NOT NULL), ('safety_cap', c.tripped IS NOT NULL), ('quota', q.closed_at IS NOT NULL),
    ('engine', e.paused_at IS NOT NULL)
) AS why (reason, holds)
WHERE why.holds AND c.completed_at IS NULL AND c.cancelled_at IS NULL;

-- name: muster_campaign_paused_since_timestamp_seconds
SELECT c.name, extract(epoch FROM least(c.paused_at, t.recorded_at, q.closed_at, e.paused_at))
FROM campaigns AS c
CROSS JOIN engine AS e
LEFT JOIN quotas AS q ON q.key = c.quota
LEFT JOIN events AS t ON t.position = c.tripped
WHERE c.completed_at IS NULL
    AND c.cancelled_at IS NULL
    AND least(c.paused_at, t.recorded_at, q.closed_at, e.paused_at) IS NOT NULL;

-- name: muster_units
SELECT state, count(*) FROM units GROUP BY 1;

-- name: muster_workers
SELECT level, count(*)
FROM workers
WHERE held > 0 OR (registered AND state = 'active')
GROUP BY 1;

-- name: muster_worker_info
SELECT worker, coalesce(labels ->> 'host', ''), coalesce(version, ''), 'default', 1 FROM workers;

-- name: muster_worker_last_heartbeat_timestamp_seconds
SELECT worker, extract(epoch FROM beat_at) FROM workers;

-- name: muster_worker_heartbeat_level
SELECT worker, array_position(ARRAY['healthy', 'warn', 'stale', 'dead'], level) - 1
FROM workers
WHERE held > 0 OR (registered AND state = 'active');

-- name: muster_worker_leases
SELECT worker, count(*) FROM claims GROUP BY 1;

-- name: muster_leases
SELECT count(*) FROM claims;

-- name: muster_quota_parked_units
SELECT coalesce(c.quota, 'none'), count(*)
FROM units AS u
JOIN campaigns AS c ON c.name = u.campaign
WHERE u.state = 'parked'
GROUP BY 1;

-- name: muster_quota_parked_since_timestamp_seconds
SELECT key, extract(epoch FROM closed_at) FROM quotas WHERE closed_at IS NOT NULL;

-- name: muster_quota_resume_timestamp_seconds
SELECT key, extract(epoch FROM resume_at) FROM quotas WHERE resume_at IS NOT NULL;

-- name: muster_quota_used_ratio
SELECT key, 'current', utilization::numeric FROM quotas WHERE utilization IS NOT NULL;

-- name: muster_pool_capacity
SELECT 'default', pool_size FROM engine;

-- name: muster_pool_active
SELECT 'default', count(*) FROM claims;

-- name: muster_engine_paused
SELECT (paused_at IS NOT NULL)::integer FROM engine;

-- name: muster_event_store_position
SELECT greatest((SELECT max(position) FROM events), (SELECT max(position) FROM heartbeats));

-- name: muster_metrics_fold_position
SELECT position FROM checkpoint WHERE live;

-- name: muster_projection_position
SELECT 'views', position FROM checkpoint WHERE live;

-- name: muster_projection_lag_events
SELECT 'views', greatest((SELECT max(position) FROM events), (SELECT max(position) FROM heartbeats)) - position
FROM checkpoint
WHERE live;

-- name: muster_projection_generation
SELECT 'views', generation FROM checkpoint WHERE live;

-- name: muster_metrics_dropped_entities
SELECT 'campaign', greatest(count(*) - 200, 0)
FROM campaigns
WHERE coalesce(cancelled_at, completed_at, now()) > now() - interval '24 hours'
UNION ALL
SELECT 'quota', greatest(count(*) - 50, 0) FROM (SELECT 'none' AS key UNION SELECT key FROM quotas) AS q
UNION ALL
SELECT 'worker', greatest(count(*) - 1000, 0)
FROM workers
WHERE held > 0 OR state <> 'gone' OR level_at > now() - interval '1 hour';
