"""Rows of the state to values and back."""

from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any

import asyncpg
import msgspec
from msgspec import Raw

from service.domain.campaign import Campaign, Counts
from service.domain.events import QuotaPolicy, UnitClaimed
from service.domain.policy import Policy
from service.domain.quota import Quota
from service.domain.unit import Claim, Unit
from service.domain.worker import Worker

ENCODE = msgspec.json.encode
POLICY = msgspec.json.Decoder(Policy)
QUOTA_POLICY = msgspec.json.Decoder(QuotaPolicy)
CLAIMED = msgspec.json.Decoder(UnitClaimed)
LABELS = msgspec.json.Decoder(dict[str, str])
COUNTS = Counts.__struct_fields__


def unit(row: asyncpg.Record) -> Unit:
    """Return a row of `units`; by place, not by name, for every batch reads many."""
    unit = Unit(*row)
    unit.payload = Raw(unit.payload)
    return unit


def claim(row: asyncpg.Record) -> Claim:
    """Return a row of `claims`, by place as well."""
    return Claim(*row)


def past_claim(row: asyncpg.Record) -> Claim:
    """Return the claim that a `unit.claimed` in the log tells of."""
    body = CLAIMED.decode(row["data"])
    at: datetime = row["recorded_at"]
    return Claim(
        token=body.token,
        campaign=row["campaign"],
        unit=row["unit"],
        worker=row["worker"],
        fence=body.fence,
        attempt=body.attempt,
        mode=body.mode,
        claimed_at=at,
        lease_s=body.lease_s,
        lease_until=body.lease_until,
        beat_at=at,
    )


@lru_cache(maxsize=4096)
def policy(text: str) -> Policy:
    """Return the policy of *text*; few texts are ever stored, and a policy never changes."""
    return POLICY.decode(text)


def campaign(row: asyncpg.Record) -> Campaign:
    """Return a row of `campaigns`."""
    fields = dict(row)
    fields["counts"] = Counts(*(fields.pop(state) for state in COUNTS))
    fields["policy"] = policy(fields["policy"])
    fields["labels"] = LABELS.decode(fields["labels"])
    return Campaign(**fields)


def worker(row: asyncpg.Record) -> Worker:
    """Return a row of `workers`."""
    fields = dict(row)
    fields["labels"] = LABELS.decode(fields["labels"])
    return Worker(**fields)


def quota(row: asyncpg.Record) -> Quota:
    """Return a row of `quotas`."""
    fields = dict(row)
    fields["policy"] = QUOTA_POLICY.decode(fields["policy"])
    return Quota(**fields)


def json_text(value: Any) -> str:  # noqa: ANN401 - whatever a column of jsonb holds
    """Return *value* as the text of a jsonb column."""
    return ENCODE(value).decode()


def campaign_columns(row: Campaign) -> tuple[Any, ...]:
    """Return a campaign as the parameters of `save_campaigns`."""
    counts = row.counts
    return (
        row.name,
        row.title,
        json_text(row.policy),
        json_text(row.labels),
        row.auto,
        row.quota,
        row.brief,
        row.brief_rev,
        row.deadline,
        row.version,
        row.created_at,
        row.started_at,
        row.completed_at,
        row.cancelled_at,
        row.outcome,
        row.paused_at,
        row.paused_by,
        row.paused_reason,
        row.consecutive,
        row.failures,
        row.tripped,
        row.last_claim,
        *(getattr(counts, state) for state in COUNTS),
        row.exported_at,
    )


MOVING = attrgetter(
    "attempts",
    "parks",
    "claims",
    "token",
    "worker",
    "session",
    "due_at",
    "resume_at",
    "reason",
    "error",
    "screen_id",
    "waits_for",
    "dependents",
    "settled",
    "because_of",
    "ready_at",
    "claimed_at",
    "updated_at",
    "first_ready_at",
)
"""What decisions change of a unit besides its state."""


def unit_columns(row: Unit) -> tuple[Any, ...]:
    """Return a new unit as the columns of `add_units`."""
    return (
        row.campaign,
        row.key,
        row.state,
        row.group,
        row.priority,
        row.seq,
        bytes(row.payload).decode(),
        row.estimate_s,
        row.kind,
        row.fix_of,
        *MOVING(row),
    )


def unit_changes(row: Unit) -> tuple[Any, ...]:
    """Return a changed unit as the columns of `save_units`."""
    return (row.campaign, row.key, row.state, *MOVING(row))


def unit_plan(row: Unit) -> tuple[Any, ...]:
    """Return what an import may change of a unit, as the columns of `save_plans`."""
    return row.campaign, row.key, bytes(row.payload).decode(), row.group, row.priority, row.estimate_s


def claim_columns(row: Claim) -> tuple[Any, ...]:
    """Return a new claim as the columns of `add_claims`."""
    return msgspec.structs.astuple(row)


def claim_changes(row: Claim) -> tuple[Any, ...]:
    """Return a beaten claim as the columns of `save_claims`."""
    return row.token, row.lease_until, row.beat_at, row.moved_at, row.output_at, row.progress, row.idle_count


def claim_words(row: Claim) -> tuple[Any, ...]:
    """Return what a worker said with its heartbeat as the columns of `save_words`."""
    return row.token, row.note, row.session, row.screen_id


def worker_columns(row: Worker) -> tuple[Any, ...]:
    """Return a worker as the columns of `save_workers`."""
    return (
        row.worker,
        row.state,
        row.registered,
        row.capacity,
        json_text(row.labels),
        row.version,
        row.level,
        row.level_at,
        row.beat_at,
        row.alive,
        row.held,
    )


def quota_columns(row: Quota) -> tuple[Any, ...]:
    """Return a quota as the parameters of `save_quota`."""
    return (*msgspec.structs.astuple(row)[:-1], json_text(row.policy))
