"""Identifiers and closed sets of words that the whole core shares."""

from typing import Literal, NewType

CampaignName = NewType("CampaignName", str)
UnitKey = NewType("UnitKey", str)
WorkerId = NewType("WorkerId", str)
QuotaKey = NewType("QuotaKey", str)
Token = NewType("Token", str)
InvestigationId = NewType("InvestigationId", str)
RecoveryId = NewType("RecoveryId", str)
UnitId = tuple[CampaignName, UnitKey]
"""A unit by its full name."""

SHARD = 0
"""The one shard that there is. It stands first in every key, so that a second one needs no other tables."""

UnitState = Literal["blocked", "ready", "delayed", "parked", "running", "done", "quarantined", "skipped", "cancelled"]
CampaignState = Literal["running", "paused", "completed", "cancelled"]
WorkerState = Literal["active", "draining", "fenced", "gone"]
Level = Literal["healthy", "warn", "stale", "dead"]
Mode = Literal["auto", "manual"]
ClaimKind = Literal["unit", "investigation"]
Outcome = Literal["achieved", "partial", "failed"]
InvestigationState = Literal["requested", "claimed", "produced", "empty", "skipped"]
RecoveryState = Literal["open", "applied", "declined", "closed"]

UNIT_STATES: tuple[UnitState, ...] = (
    "blocked",
    "ready",
    "delayed",
    "parked",
    "running",
    "done",
    "quarantined",
    "skipped",
    "cancelled",
)
OPEN_STATES: tuple[UnitState, ...] = ("blocked", "ready", "delayed", "parked", "running")
FINAL_STATES: tuple[UnitState, ...] = ("done", "skipped", "cancelled")
HOLDING_STATES: tuple[UnitState, ...] = ("running", "delayed", "parked")
"""States in which a unit, without waiting for a worker, still holds back the groups after its own."""
DEFAULT_GROUP = 99
"""The group of a unit that names none."""

FailureReason = Literal[
    "crash",
    "timeout",
    "max_duration",
    "idle_no_output",
    "idle_output",
    "launch_failed",
    "spawn",
    "error",
    "lease_expired",
    "heartbeat_dead",
]
SILENT_FAILURES: tuple[FailureReason, ...] = ("lease_expired", "heartbeat_dead")
"""Failures that the service concludes because it heard nothing of a claim."""
QuarantineReason = Literal["max_attempts", "not_retryable", "heartbeat_dead", "manual", "max_claims"]
ReleaseCause = Literal["stop", "drain", "fence", "recovery", "worker"]
UnparkCause = Literal["due", "gate", "manual"]
GateReason = Literal["rate_limit", "auth", "network", "utilization"]
ReadingFailure = Literal["meter_rate_limited", "auth", "transient", "config"]
Fire = Literal["always", "when_available", "on_reset"]
Emptiness = Literal["no_fix", "timeout"]
Omission = Literal["fix_exists", "under_way", "key_too_long", "retried", "cancelled"]
