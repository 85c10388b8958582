"""The policy: defaults, limits, merge, and the refusals that name the field."""

from typing import Any

import pytest

from service.domain.policy import DEFAULT, merged
from service.domain.rejections import REJECTIONS, Unprocessable, Validation

LIMITS: tuple[tuple[str, object, object], ...] = (
    ("max_attempts", 1, 10),
    ("retry.backoff_ms", 100, 60_000),
    ("retry.factor", 1, 5),
    ("retry.max_delay_ms", 100, 86_400_000),
    ("retry.jitter.ratio", 0, 1),
    ("lease_s", 1, 86_400),
    ("idle_grace_observations", 1, 100),
    ("breaker.threshold", 1, 1000),
    ("concurrency", 1, 100_000),
    ("max_duration_s", 1, 604_800),
    ("idle_output_s", 1, 604_800),
    ("max_claims", 1, 10_000),
)


def document(path: str, value: object) -> dict[str, Any]:
    """Return the patch that sets one field.

    >>> document("retry.factor", 2)
    {'retry': {'factor': 2}}
    """
    for name in reversed(path.split(".")):
        value = {name: value}
    assert isinstance(value, dict)
    return value


def field_of(policy: object, path: str) -> object:
    """Return one field of a policy."""
    for name in path.split("."):
        policy = getattr(policy, name)
    return policy


@pytest.mark.parametrize(("path", "least", "most"), LIMITS, ids=[path for path, *_ in LIMITS])
def test_a_field_keeps_its_limits(path: str, least: float, most: float) -> None:
    """B-CAMP-3: both ends are allowed, one step beyond is refused by name."""
    assert field_of(merged(DEFAULT, document(path, least)), path) == least
    assert field_of(merged(DEFAULT, document(path, most)), path) == most
    for beyond in (least - 1, most + 1):
        with pytest.raises(Unprocessable) as refusal:
            merged(DEFAULT, document(path, beyond))
        assert refusal.value.fields["field"] == f"policy.{path}"


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        ({"on_dead": "pray"}, "policy.on_dead"),
        ({"groups": "some"}, "policy.groups"),
        ({"on_dependency_failure": "wait"}, "policy.on_dependency_failure"),
        ({"breaker": {"counts": "sheep"}}, "policy.breaker.counts"),
        ({"retry": {"jitter": {"kind": "wild"}}}, "policy.retry.jitter.kind"),
        ({"retry": {"retryable_errors": ["ok", ""]}}, "policy.retry.retryable_errors[1]"),
        ({"heartbeat": {"stale_s": 30}}, "policy.heartbeat"),
        ({"heartbeat": {"dead_s": 59}}, "policy.heartbeat"),
    ],
)
def test_a_policy_value_out_of_limits_is_refused_by_its_field(patch: dict[str, Any], field: str) -> None:
    """B-CAMP-3."""
    with pytest.raises(Unprocessable) as refusal:
        merged(DEFAULT, patch)
    assert refusal.value.fields["field"] == field


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        ({"speed": 1}, "policy.speed"),
        ({"retry": {"speed": 1}}, "policy.retry.speed"),
        ({"max_attempts": "3"}, "policy.max_attempts"),
        ({"retry": {"retryable_errors": ["ok", 1]}}, "policy.retry.retryable_errors[1]"),
        ({"require_evidence": 1}, "policy.require_evidence"),
    ],
)
def test_an_unknown_or_misshapen_field_of_a_policy_is_not_valid(patch: dict[str, Any], field: str) -> None:
    with pytest.raises(Validation) as refusal:
        merged(DEFAULT, patch)
    assert refusal.value.fields["field"] == field


def test_a_patch_changes_what_it_names_and_null_gives_the_default_back() -> None:
    """B-CAMP-3."""
    changed = merged(DEFAULT, {"retry": {"factor": 3, "jitter": {"kind": "full"}}, "concurrency": 7})
    assert (changed.retry.factor, changed.retry.backoff_ms, changed.retry.jitter.ratio, changed.concurrency) == (3, 1000, 0.3, 7)
    assert merged(changed, {"retry": {"factor": None}, "concurrency": None}).retry.jitter.kind == "full"
    assert merged(changed, {"retry": None, "concurrency": None}) == DEFAULT


def test_every_refusal_has_a_status_and_a_type() -> None:
    assert {(one.status, one.slug) for one in REJECTIONS} == {
        (400, "validation"),
        (404, "not-found"),
        (409, "conflict"),
        (409, "stale-claim"),
        (412, "precondition-failed"),
        (422, "unprocessable"),
    }
