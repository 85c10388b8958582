-- What an exposition tells beside cards and series, from the tables of the state.

-- name: overdue
-- How many units have rested longer than until $2. Served by units_resting.
SELECT count(*) FROM units WHERE shard = $1::integer AND state = 'delayed' AND due_at < $2::timestamptz;

-- name: oldest_ready
-- Since when the oldest ready unit of some campaigns waits, among the next thousand of each in the order of claims. Served by
-- units_in_claim_order.
SELECT asked.campaign, (
    SELECT min(next.ready_at)
    FROM (
        SELECT u.ready_at
        FROM units AS u
        WHERE u.shard = $1::integer AND u.campaign = asked.campaign AND u.state = 'ready'
        ORDER BY u.grp, u.priority DESC, u.seq
        LIMIT 1000
    ) AS next
) AS ready_at
FROM unnest($2::text[]) AS asked (campaign);

-- name: rebuilding
-- How far the generation is that is being rebuilt. One row a generation.
SELECT position FROM checkpoint WHERE shard = $1::integer AND NOT live ORDER BY generation DESC LIMIT 1;

-- name: sizes
-- The bytes of what holds the log, the state and the views, indexes and partitions included.
SELECT held.relation, sum(
    pg_total_relation_size(held.name::regclass)
    + coalesce((SELECT sum(pg_total_relation_size(part.relid)) FROM pg_partition_tree(held.name::regclass) AS part WHERE isleaf), 0)
)::bigint AS size
FROM unnest($1::text[], $2::text[]) AS held (relation, name)
GROUP BY held.relation;
