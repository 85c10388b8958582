-- name: notify
-- Wakes the other replicas; the payload names the sender, which ignores its own.
SELECT pg_notify($1::text, $2::text);
