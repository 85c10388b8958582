"""The view of a worker and the fold that keeps it."""
