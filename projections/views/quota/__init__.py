"""The view of a quota and the fold that keeps it."""
