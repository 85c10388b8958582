-- name: current
-- Who leads, until when, and since when workers could be heard without a gap.
SELECT replica, until, heard_since FROM leader WHERE shard = $1::integer;

-- name: found
-- The first lease of a new database.
INSERT INTO leader (shard, replica, until, heard_since)
VALUES ($1::integer, $2::text, $3::timestamptz, $4::timestamptz)
ON CONFLICT (shard) DO NOTHING;

-- name: take
-- Takes or renews the lease, if it is free or ours at that time.
UPDATE leader
SET replica = $2::text, until = $3::timestamptz, heard_since = $5::timestamptz
WHERE shard = $1::integer
    AND (until < $4::timestamptz OR replica = $2::text)
RETURNING heard_since;

-- name: vacate
-- Frees the lease of replicas that are known to be gone.
UPDATE leader SET until = $2::timestamptz WHERE shard = $1::integer AND until > $2::timestamptz;

-- name: leave
-- Gives the lease back, so that another replica need not wait for its end.
UPDATE leader SET until = $3::timestamptz WHERE shard = $1::integer AND replica = $2::text;
