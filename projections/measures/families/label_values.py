"""Label values and buckets that several files use."""

ATTEMPT_OUTCOMES = ("completed", "failed", "expired", "released", "parked", "cancelled")
ENDINGS = ("completed", "quarantined", "skipped", "cancelled")
ENDED = "unit.completed unit.attempt_failed unit.released unit.parked unit.cancelled"
