"""The event log in Postgres: append, read, and the idempotency records beside it."""
