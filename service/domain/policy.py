"""The policy of a campaign: what may be set, its defaults, its limits, and the merge of a partial policy."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from service.domain import decode_error
from service.domain.rejections import Unprocessable


class Jitter(Struct, frozen=True, forbid_unknown_fields=True):
    """How chance moves a retry delay."""

    kind: Annotated[
        Literal["symmetric", "additive", "full", "none"],
        Meta(description="How chance moves a delay before a retry."),
    ] = "symmetric"
    ratio: Annotated[
        float, Meta(ge=0, le=1, description="With symmetric jitter: the share of the delay that chance adds or takes.")
    ] = 0.3
    ms: Annotated[
        int, Meta(ge=0, le=3_600_000, description="With additive jitter: the most that chance adds, in milliseconds.")
    ] = 50


class RetryPolicy(Struct, frozen=True, forbid_unknown_fields=True):
    """When a failed attempt is tried again."""

    backoff_ms: Annotated[int, Meta(ge=100, le=60_000, description="Delay before the second attempt, in milliseconds.")] = 1000
    factor: Annotated[float, Meta(ge=1, le=5, description="Each further delay is this many times the one before.")] = 2
    max_delay_ms: Annotated[int, Meta(ge=100, le=86_400_000, description="No delay is longer, in milliseconds.")] = 3_600_000
    jitter: Jitter = Jitter()
    retryable_errors: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=1000)], ...],
        Meta(
            max_length=100, description="Globs on the whole error; only errors that match are retried. Without a glob, all are."
        ),
    ] = ()


class HeartbeatPolicy(Struct, frozen=True, forbid_unknown_fields=True):
    """Ages in seconds after which a silent worker is warned of, stale, dead."""

    warn_s: Annotated[
        float, Meta(gt=0, le=604_800, description="Seconds without a heartbeat after which the level of a worker is warn.")
    ] = 30
    stale_s: Annotated[float, Meta(gt=0, le=604_800, description="Seconds without a heartbeat after which it is stale.")] = 60
    dead_s: Annotated[float, Meta(gt=0, le=604_800, description="Seconds without a heartbeat after which it is dead.")] = 300
    dead_ticks: Annotated[
        int, Meta(ge=1, le=1000, description="Sweeps in a row that must find a worker dead before its claims are revoked.")
    ] = 3


class BreakerPolicy(Struct, frozen=True, forbid_unknown_fields=True):
    """The safety cap: how many failures in a row stop automatic claims, and what counts as one."""

    threshold: Annotated[int, Meta(ge=1, le=1000, description="Failures in a row that stop automatic claims.")] = 3
    counts: Annotated[
        Literal["attempts", "units"],
        Meta(description="What counts as a failure: each failed attempt, or each unit that is quarantined."),
    ] = "attempts"


class Policy(Struct, frozen=True, forbid_unknown_fields=True):
    """How a campaign runs its units. Form, OpenAPI document and reference show the description of each field as its meaning."""

    max_attempts: Annotated[int, Meta(ge=1, le=10, description="Executions of one unit in total.")] = 3
    retry: RetryPolicy = RetryPolicy()
    lease_s: Annotated[float, Meta(ge=1, le=86_400, description="Seconds that a claim holds without a heartbeat.")] = 300
    heartbeat: HeartbeatPolicy = HeartbeatPolicy()
    on_dead: Annotated[
        Literal["requeue", "quarantine"],
        Meta(description="What happens to the unit of a dead worker: one failed attempt and a retry, or quarantine."),
    ] = "requeue"
    idle_grace_observations: Annotated[
        int, Meta(ge=1, le=100, description="Heartbeats in a row that report an idle program before the attempt fails.")
    ] = 3
    breaker: BreakerPolicy = BreakerPolicy()
    concurrency: Annotated[int, Meta(ge=1, le=100_000, description="Units that run at a time.")] = 4
    groups: Annotated[
        Literal["ordered", "none"],
        Meta(description="Whether a group waits until all lower groups have drained."),
    ] = "ordered"
    on_dependency_failure: Annotated[
        Literal["skip", "run"],
        Meta(description="What happens to units whose dependency failed for good: they are skipped, or run without it."),
    ] = "skip"
    max_duration_s: Annotated[float, Meta(ge=1, le=604_800, description="Seconds that an attempt may take.")] = 14_400
    idle_output_s: Annotated[
        float, Meta(ge=1, le=604_800, description="Seconds that the output of an attempt may stand still.")
    ] = 1200
    require_evidence: Annotated[bool, Meta(description="Whether a completion must come with evidence.")] = False
    investigate: Annotated[bool, Meta(description="Whether an investigation is requested for each quarantined unit.")] = False
    max_claims: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000,
            description="Claims of one unit, whatever their outcome; without success in the last, it is quarantined.",
        ),
    ] = 100


DEFAULT = Policy()


def merged(base: Policy, patch: dict[str, Any]) -> Policy:
    """Return *base* with the JSON merge patch *patch* applied (RFC 7396: null restores the default).

    Raises:
        Unprocessable: a value leaves its limits.
        Validation: a field is unknown or of the wrong type.

    """
    document = merge_patch(msgspec.to_builtins(base), patch)
    try:
        policy = msgspec.convert(document, Policy)
    except msgspec.ValidationError as error:
        raise decode_error.refusal(error, Policy, within="policy", beyond_limits=Unprocessable) from None
    beat = policy.heartbeat
    if not beat.warn_s < beat.stale_s < beat.dead_s:
        raise Unprocessable(
            "policy.heartbeat must increase: warn_s < stale_s < dead_s",
            field="policy.heartbeat",
            current={"warn_s": beat.warn_s, "stale_s": beat.stale_s, "dead_s": beat.dead_s},
        )
    return policy


def merge_patch(target: Any, patch: Any) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """Apply an RFC 7396 merge patch; a null removes the member.

    >>> merge_patch({"a": 1, "b": {"c": 2, "d": 3}}, {"a": None, "b": {"c": 4}})
    {'b': {'c': 4, 'd': 3}}
    """
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge_patch(result.get(name), value)
    return result
