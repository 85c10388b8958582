-- Who need not be shown by name.

-- name: ended
-- Campaigns a day, and workers an hour after their end.
SELECT 'campaign' AS entity, name
FROM campaigns
WHERE coalesce(cancelled_at, completed_at) <= now() - interval '24 hours'
UNION ALL
SELECT 'worker', worker
FROM workers
WHERE held = 0 AND state = 'gone' AND level_at <= now() - interval '1 hour';
