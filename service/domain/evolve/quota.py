"""How events of quotas change the state."""

from service.domain import events as e
from service.domain.evolve.folds import Folds
from service.domain.state import State


def read(state: State, body: e.QuotaRead, event: e.Recorded) -> None:
    """The meter answered: its failures are over."""
    row = state.quota(body.key)
    row.utilization, row.resets_at, row.read_at = body.utilization, body.resets_at, event.at
    row.consecutive_failures, row.failing_since, row.last_failure_kind, row.next_poll_s = 0, None, None, 30


def read_failed(state: State, body: e.QuotaReadFailed, event: e.Recorded) -> None:
    """The meter failed; one that is itself limited says that nothing is used. Only `transient` and `config` try patience."""
    row = state.quota(body.key)
    row.last_failure_kind, row.next_poll_s = body.failure, body.next_poll_s
    row.consecutive_failures = body.consecutive
    if body.failure == "meter_rate_limited":
        row.utilization = 0.0
    row.failing_since = (row.failing_since or event.at) if body.failure in ("transient", "config") else None


def gate_closed(state: State, body: e.QuotaGateClosed, event: e.Recorded) -> None:
    """Nothing passes."""
    row = state.quota(body.key)
    row.closed_at = row.closed_at or event.at
    row.reason, row.resume_at, row.opened_at = body.reason, body.resume_at, None


def gate_opened(state: State, body: e.QuotaGateOpened, event: e.Recorded) -> None:
    """Claims pass, on a ramp."""
    row = state.quota(body.key)
    row.closed_at = row.reason = row.resume_at = None
    row.opened_at, row.ramped = event.at, 0


def policy_changed(state: State, body: e.QuotaPolicyChanged, _event: e.Recorded) -> None:
    """The gate follows another policy."""
    state.quota(body.key).policy = body.policy


FOLDS: Folds = {
    e.QuotaRead: read,
    e.QuotaReadFailed: read_failed,
    e.QuotaGateClosed: gate_closed,
    e.QuotaGateOpened: gate_opened,
    e.QuotaPolicyChanged: policy_changed,
}
