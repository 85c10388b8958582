-- name: notify
-- Wakes the other replicas; the payload is the sender, who need not wake itself.
SELECT pg_notify($1::text, $2::text);
