"""The view of a wave and the fold that keeps it."""
