"""Rows of the state to values and back."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, TypeVar

import asyncpg
import msgspec
from msgspec import Raw, Struct

from service.domain import ids
from service.domain.campaign import Campaign, Counts, GroupCounts
from service.domain.engine import Engine
from service.domain.events import QuotaPolicy, UnitClaimed
from service.domain.policy import Policy
from service.domain.quota import Quota
from service.domain.unit import Claim, ClaimEnding, Unit
from service.domain.worker import Worker

ENCODE = msgspec.json.encode
POLICY = msgspec.json.Decoder(Policy)
QUOTA_POLICY = msgspec.json.Decoder(QuotaPolicy)
CLAIMED = msgspec.json.Decoder(UnitClaimed)
LABELS = msgspec.json.Decoder(dict[str, str])
COUNTS = Counts.__struct_fields__
DOCUMENTS = frozenset({"policy", "labels"})
CAMPAIGN = tuple(name for name in Campaign.__struct_fields__ if name != "counts")
PLAIN_CAMPAIGN = tuple(name for name in CAMPAIGN if name not in DOCUMENTS)
CAMPAIGN_COLUMNS = (*CAMPAIGN, *COUNTS)
CLAIM = len(Claim.__struct_fields__)
REPORTED_STATES: dict[str, ids.UnitState] = {
    "unit.completed": "done",
    "unit.attempt_failed": "delayed",
    "unit.parked": "parked",
    "unit.released": "ready",
}
"""The state that a worker's report leads to, unless the unit is quarantined with it."""


def unit(row: Iterable[Any]) -> Unit:
    """Return a row of `units`, by position: every batch reads many, and names cost twice as much."""
    unit = Unit(*row)
    unit.payload = Raw(unit.payload)
    return unit


def claim(row: asyncpg.Record) -> Claim:
    """Return a row of `claims`, by position as well."""
    return Claim(*row)


def claim_and_unit(row: asyncpg.Record) -> tuple[Claim, Unit]:
    """Return a claim and the unit that it holds, side by side in one row."""
    fields = tuple(row)
    unit = Unit(*fields[CLAIM:])
    unit.payload = Raw(unit.payload)
    return Claim(*fields[:CLAIM]), unit


def past_claim(row: asyncpg.Record) -> Claim:
    """Return the claim that a `unit.claimed` in the log records."""
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


def claim_ending(row: asyncpg.Record) -> ClaimEnding:
    """Return the report that ended a claim, with the state that its kind and the event after it lead to."""
    to = "quarantined" if row["quarantined"] else REPORTED_STATES[row["kind"]]
    return ClaimEnding(row["digest"], row["position"], to)


@lru_cache(maxsize=4096)
def policy(text: str) -> Policy:
    """Return the policy of *text*; an installation has few different policies, and a policy is immutable."""
    return POLICY.decode(text)


def campaign(row: asyncpg.Record) -> Campaign:
    """Return a row of `campaigns`, by name; the row cache spares most of them this."""
    counts = Counts(**{name: row[name] for name in COUNTS})
    fields: dict[str, Any] = {name: row[name] for name in PLAIN_CAMPAIGN}
    return Campaign(policy=policy(row["policy"]), labels=LABELS.decode(row["labels"]), counts=counts, **fields)


def groups(row: asyncpg.Record) -> dict[int, GroupCounts]:
    """Return the groups that stand in a row of `campaigns`: number, ready and held of each in turn."""
    name, numbers = row["name"], iter(row["groups"])
    return {number: GroupCounts(name, number, ready, held) for number, ready, held in zip(numbers, numbers, numbers, strict=True)}


def worker(row: asyncpg.Record) -> Worker:
    """Return a row of `workers`, by position as well."""
    worker = Worker(*row)
    worker.labels = LABELS.decode(row["labels"])
    return worker


def engine(row: asyncpg.Record) -> Engine:
    """Return the engine of a row of `moment`."""
    return Engine(
        pool_size=row["pool_size"],
        in_use=row["in_use"],
        paused_at=row["paused_at"],
        paused_by=row["paused_by"],
        paused_reason=row["paused_reason"],
    )


def quota(row: asyncpg.Record) -> Quota:
    """Return a row of `quotas`."""
    fields = dict(row)
    fields["policy"] = QUOTA_POLICY.decode(fields["policy"])
    return Quota(**fields)


def json_text(value: Any) -> str:  # noqa: ANN401 - whatever a column of jsonb holds
    """Return *value* as the text of a jsonb column."""
    return ENCODE(value).decode()


def with_counts(row: Campaign) -> dict[str, Any]:
    """Return a campaign with its counts beside its other fields."""
    return {name: getattr(row, name) for name in CAMPAIGN} | {name: getattr(row.counts, name) for name in COUNTS}


class UnitChange(Struct, omit_defaults=True, gc=False):
    """What decisions change of a unit, under its names."""

    campaign: str
    key: str
    state: str
    attempts: int
    parks: int
    claims: int
    token: str | None
    worker: str | None
    session: str | None
    due_at: datetime | None
    resume_at: datetime | None
    reason: str | None
    error: str | None
    screen_id: str | None
    waits_for: int
    dependents: int
    settled: bool
    because_of: str | None
    ready_at: datetime | None
    claimed_at: datetime | None
    updated_at: datetime
    first_ready_at: datetime | None


class ImportChange(Struct, gc=False):
    """What an import may change of a unit, under its names."""

    campaign: str
    key: str
    payload: Raw
    group: int
    priority: int
    estimate_s: float | None


class LeaseRenewal(Struct, gc=False):
    """What a heartbeat changes of a claim, under its token."""

    token: str
    lease_until: datetime
    beat_at: datetime
    moved_at: datetime | None
    output_at: datetime | None
    progress: float | None
    idle_count: int


class HeartbeatDetails(Struct, gc=False):
    """What a worker adds to a heartbeat, under its token."""

    token: str
    note: str | None
    session: str | None
    screen_id: str | None


Part = TypeVar("Part", bound=Struct)


def part(kind: type[Part]) -> Callable[[Struct], Part]:
    """Return a function that copies the fields of *kind* from a row."""
    fields = attrgetter(*kind.__struct_fields__)
    return lambda row: kind(*fields(row))


unit_change, import_change, lease_renewal, heartbeat_details = (
    part(UnitChange),
    part(ImportChange),
    part(LeaseRenewal),
    part(HeartbeatDetails),
)
MOVING = attrgetter(*UnitChange.__struct_fields__[3:])


def document(rows: Iterable[Struct | dict[str, Any]]) -> str:
    """Return *rows* as the document that `json_to_recordset` takes apart.

    One JSON document is encoded in a single call; as one array a column, each value costs more than a whole row does here.
    """
    return json_text(list(rows))


def unit_columns(row: Unit) -> tuple[Any, ...]:
    """Return a unit as the columns of its table."""
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


def claim_columns(row: Claim) -> tuple[Any, ...]:
    """Return a claim as the columns of its table."""
    return msgspec.structs.astuple(row)


def campaign_columns(row: Campaign) -> tuple[Any, ...]:
    """Return a campaign as `CAMPAIGN_COLUMNS`."""
    return tuple(json_text(value) if name in DOCUMENTS else value for name, value in with_counts(row).items())


def worker_columns(row: Worker) -> tuple[Any, ...]:
    """Return a worker as the columns of its table."""
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
