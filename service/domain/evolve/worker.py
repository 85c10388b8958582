"""How events of workers change the state."""

from datetime import timedelta

from service.domain import events as e
from service.domain.evolve.folds import Folds
from service.domain.state import State
from service.domain.worker import Worker


def worker_of(state: State, event: e.Recorded) -> Worker:
    """Return the row of the worker that the envelope names."""
    assert event.worker is not None, "the envelope of a worker's event names it"
    return state.worker(event.worker, event.at)


def registered(state: State, body: e.WorkerRegistered, event: e.Recorded) -> None:
    """Store what the worker says of itself; one that was gone is active again."""
    worker = worker_of(state, event)
    if worker.state == "gone":
        worker.state = "active"
    worker.registered, worker.alive, worker.beat_at = True, True, event.at
    worker.capacity, worker.labels, worker.version = body.capacity, body.labels, body.version


def deregistered(state: State, _body: e.WorkerDeregistered, event: e.Recorded) -> None:
    """Mark the worker as gone."""
    worker = worker_of(state, event)
    worker.registered, worker.state, worker.level, worker.level_at = False, "gone", "healthy", event.at


def heartbeat(state: State, body: e.WorkerHeartbeat, event: e.Recorded) -> None:
    """Note a sign of life, or that the worker signs off."""
    worker = worker_of(state, event)
    worker.beat_at, worker.alive = event.at, body.alive


def level_changed(state: State, body: e.LevelChanged, event: e.Recorded) -> None:
    """Store the new level; its age tells when the worker was last heard, by a heartbeat or by a report."""
    worker = worker_of(state, event)
    worker.level, worker.level_at = body.to, event.at
    worker.beat_at = max(worker.beat_at, event.at - timedelta(seconds=body.age))


def draining(state: State, _body: e.WorkerDraining, event: e.Recorded) -> None:
    """Give the worker no new claims."""
    worker_of(state, event).state = "draining"


def fenced(state: State, _body: e.WorkerFenced, event: e.Recorded) -> None:
    """Leave the worker no claim; the releases that follow take them."""
    worker_of(state, event).state = "fenced"


FOLDS: Folds = {
    e.WorkerRegistered: registered,
    e.WorkerDeregistered: deregistered,
    e.WorkerHeartbeat: heartbeat,
    e.LevelChanged: level_changed,
    e.WorkerDraining: draining,
    e.WorkerFenced: fenced,
}
