"""How events of quotas change the state."""

from service.domain import events as e
from service.domain.evolve.folds import Folds
from service.domain.state import State


def read(state: State, body: e.QuotaRead, event: e.Recorded) -> None:
    """Store the reading, and end the run of failures."""
    row = state.quota(body.key)
    row.utilization, row.resets_at, row.read_at = body.utilization, body.resets_at, event.at
    row.consecutive_failures, row.failing_since, row.last_failure_kind, row.next_poll_s = 0, None, None, 30


def read_failed(state: State, body: e.QuotaReadFailed, event: e.Recorded) -> None:
    """Count the failure. A rate-limited meter reads as 0 % used; `transient` and `config` start the patience of the gate."""
    row = state.quota(body.key)
    row.last_failure_kind, row.next_poll_s = body.failure, body.next_poll_s
    row.consecutive_failures = body.consecutive
    if body.failure == "meter_rate_limited":
        row.utilization = 0.0
    row.failing_since = (row.failing_since or event.at) if body.failure in ("transient", "config") else None


def gate_closed(state: State, body: e.QuotaGateClosed, event: e.Recorded) -> None:
    """Close the gate, or give it another reason."""
    row = state.quota(body.key)
    row.closed_at = row.closed_at or event.at
    row.reason, row.resume_at, row.opened_at = body.reason, body.resume_at, None


def gate_opened(state: State, body: e.QuotaGateOpened, event: e.Recorded) -> None:
    """Open the gate; claims pass on a ramp at first."""
    row = state.quota(body.key)
    row.closed_at = row.reason = row.resume_at = None
    row.opened_at, row.ramped = event.at, 0


def policy_changed(state: State, body: e.QuotaPolicyChanged, _event: e.Recorded) -> None:
    """Store the new policy of the gate."""
    state.quota(body.key).policy = body.policy


FOLDS: Folds = {
    e.QuotaRead: read,
    e.QuotaReadFailed: read_failed,
    e.QuotaGateClosed: gate_closed,
    e.QuotaGateOpened: gate_opened,
    e.QuotaPolicyChanged: policy_changed,
}
