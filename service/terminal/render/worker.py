"""How workers look."""

from collections.abc import Iterator

from service.client.api_types import ApiClaim, ApiWorker
from service.terminal.formatting import NOTHING, at, labels_text, line, percent, since, span
from service.terminal.render.table import Column

WORST_FIRST = ("dead", "stale", "warn", "healthy", None)


def holds(worker: ApiWorker) -> str:
    """Return the units in its hands."""
    if not worker.claims:
        return NOTHING
    rest = f" +{len(worker.claims) - 1}" if len(worker.claims) > 1 else ""
    return f"{line(worker.claims[0].key)}{rest}"


def worst_first(worker: ApiWorker) -> tuple[int, str]:
    """Return the place of a worker among others: the silent ones first, those that left last."""
    known = worker.level if worker.level in WORST_FIRST else None
    return WORST_FIRST.index(known), worker.worker


NAME = Column[ApiWorker]("worker", lambda worker: line(worker.worker))
LEVEL = Column[ApiWorker]("level", lambda worker: worker.level or NOTHING)
STATE = Column[ApiWorker]("state", lambda worker: worker.state)
BEAT = Column[ApiWorker]("beat", lambda worker: span(worker.heartbeat_age_s), right=True)
HOLDS = Column[ApiWorker]("unit", holds)
DONE = Column[ApiWorker]("done", lambda worker: f"{worker.completed:,}", right=True)
FAILED = Column[ApiWorker]("fail", lambda worker: f"{worker.failed:,}" if worker.failed else NOTHING, right=True)
SLOTS = Column[ApiWorker]("slots", lambda worker: f"{len(worker.claims)}/{worker.capacity or NOTHING}", right=True)

LIST = (NAME, LEVEL, STATE, BEAT, SLOTS, DONE, FAILED, HOLDS)
CLAIM = (
    Column[ApiClaim]("campaign", lambda claim: line(claim.campaign)),
    Column[ApiClaim]("unit", lambda claim: line(claim.key)),
    Column[ApiClaim]("#", lambda claim: str(claim.attempt), right=True),
    Column[ApiClaim]("for", lambda claim: since(claim.claimed_at), right=True),
    Column[ApiClaim]("lease until", lambda claim: at(claim.lease_until)),
    Column[ApiClaim]("done", lambda claim: percent(claim.progress), right=True),
    Column[ApiClaim]("note", lambda claim: line(claim.note)),
)


def sheet(worker: ApiWorker) -> Iterator[tuple[str, str]]:
    """Yield what there is to know of a worker, but its claims."""
    yield "worker", line(worker.worker)
    yield "state", worker.state
    yield "level", worker.level or ""
    yield "last heartbeat", f"{at(worker.last_heartbeat_at)} ({span(worker.heartbeat_age_s)} ago)"
    yield "slots", f"{len(worker.claims)} of {worker.capacity or 'unknown'} in use"
    yield "completed", f"{worker.completed:,}"
    yield "failed", f"{worker.failed:,}"
    yield "labels", labels_text(worker.labels)
    yield "version", line(worker.version)
