"""How workers look."""

from collections.abc import Iterator

from service.terminal.api_types import Claim, Worker
from service.terminal.formatting import NOTHING, at, line, named, percent, since, span
from service.terminal.render.table import Column

WORST_FIRST = ("dead", "stale", "warn", "healthy", None)


def holds(worker: Worker) -> str:
    """Return the units in its hands."""
    if not worker.claims:
        return NOTHING
    rest = f" +{len(worker.claims) - 1}" if len(worker.claims) > 1 else ""
    return f"{line(worker.claims[0].key)}{rest}"


def worst_first(worker: Worker) -> tuple[int, str]:
    """Return the place of a worker among others: the silent ones first, those that left last."""
    known = worker.level if worker.level in WORST_FIRST else None
    return WORST_FIRST.index(known), worker.worker


NAME = Column[Worker]("worker", lambda worker: line(worker.worker))
LEVEL = Column[Worker]("level", lambda worker: worker.level or NOTHING)
STATE = Column[Worker]("state", lambda worker: worker.state)
BEAT = Column[Worker]("beat", lambda worker: span(worker.heartbeat_age_s), right=True)
HOLDS = Column[Worker]("unit", holds)
DONE = Column[Worker]("done", lambda worker: f"{worker.completed:,}", right=True)
FAILED = Column[Worker]("fail", lambda worker: f"{worker.failed:,}" if worker.failed else NOTHING, right=True)
SLOTS = Column[Worker]("slots", lambda worker: f"{len(worker.claims)}/{worker.capacity or NOTHING}", right=True)

LIST = (NAME, LEVEL, STATE, BEAT, SLOTS, DONE, FAILED, HOLDS)
CLAIM = (
    Column[Claim]("campaign", lambda claim: line(claim.campaign)),
    Column[Claim]("unit", lambda claim: line(claim.key)),
    Column[Claim]("#", lambda claim: str(claim.attempt), right=True),
    Column[Claim]("for", lambda claim: since(claim.claimed_at), right=True),
    Column[Claim]("lease until", lambda claim: at(claim.lease_until)),
    Column[Claim]("done", lambda claim: percent(claim.progress), right=True),
    Column[Claim]("note", lambda claim: line(claim.note)),
)


def sheet(worker: Worker) -> Iterator[tuple[str, str]]:
    """Yield what there is to know of a worker, but its claims."""
    yield "worker", line(worker.worker)
    yield "state", worker.state
    yield "level", worker.level or ""
    yield "last heartbeat", f"{at(worker.last_heartbeat_at)} ({span(worker.heartbeat_age_s)} ago)"
    yield "slots", f"{len(worker.claims)} of {worker.capacity or 'unknown'} in use"
    yield "completed", f"{worker.completed:,}"
    yield "failed", f"{worker.failed:,}"
    yield "labels", named(worker.labels)
    yield "version", line(worker.version)
