"""How workers are shown."""

from collections.abc import Iterator

from service.client.api_types import ApiClaim, ApiWorker
from service.terminal.formatting import NOTHING, age, duration, labels_text, one_line, percent, time_text
from service.terminal.render.table import Column

WORST_FIRST = ("dead", "stale", "warn", "healthy", None)


def claimed_units(worker: ApiWorker) -> str:
    """Return the first unit that the worker has claimed, and the number of others."""
    if not worker.claims:
        return NOTHING
    rest = f" +{len(worker.claims) - 1}" if len(worker.claims) > 1 else ""
    return f"{one_line(worker.claims[0].key)}{rest}"


def worst_first(worker: ApiWorker) -> tuple[int, str]:
    """Return the sort key that puts silent workers first and those that have left last."""
    level = worker.level if worker.level in WORST_FIRST else None
    return WORST_FIRST.index(level), worker.worker


NAME = Column[ApiWorker]("worker", lambda worker: one_line(worker.worker))
LEVEL = Column[ApiWorker]("level", lambda worker: worker.level or NOTHING)
STATE = Column[ApiWorker]("state", lambda worker: worker.state)
HEARTBEAT_AGE = Column[ApiWorker]("beat", lambda worker: duration(worker.heartbeat_age_s), right=True)
CLAIMED = Column[ApiWorker]("unit", claimed_units)
DONE = Column[ApiWorker]("done", lambda worker: f"{worker.completed:,}", right=True)
FAILED = Column[ApiWorker]("fail", lambda worker: f"{worker.failed:,}" if worker.failed else NOTHING, right=True)
SLOTS = Column[ApiWorker]("slots", lambda worker: f"{len(worker.claims)}/{worker.capacity or NOTHING}", right=True)

LIST = (NAME, LEVEL, STATE, HEARTBEAT_AGE, SLOTS, DONE, FAILED, CLAIMED)
CLAIM = (
    Column[ApiClaim]("campaign", lambda claim: one_line(claim.campaign)),
    Column[ApiClaim]("unit", lambda claim: one_line(claim.key)),
    Column[ApiClaim]("#", lambda claim: str(claim.attempt), right=True),
    Column[ApiClaim]("for", lambda claim: age(claim.claimed_at), right=True),
    Column[ApiClaim]("lease until", lambda claim: time_text(claim.lease_until)),
    Column[ApiClaim]("done", lambda claim: percent(claim.progress), right=True),
    Column[ApiClaim]("note", lambda claim: one_line(claim.note)),
)


def details(worker: ApiWorker) -> Iterator[tuple[str, str]]:
    """Yield every detail of a worker except its claims."""
    yield "worker", one_line(worker.worker)
    yield "state", worker.state
    yield "level", worker.level or ""
    yield "last heartbeat", f"{time_text(worker.last_heartbeat_at)} ({duration(worker.heartbeat_age_s)} ago)"
    yield "slots", f"{len(worker.claims)} of {worker.capacity or 'unknown'} in use"
    yield "completed", f"{worker.completed:,}"
    yield "failed", f"{worker.failed:,}"
    yield "labels", labels_text(worker.labels)
    yield "version", one_line(worker.version)
