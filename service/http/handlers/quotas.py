"""Quotas: readings of meters, and the policy of a gate."""

from typing import Annotated

from litestar import patch, post
from msgspec import UNSET, Meta, Struct, UnsetType, json, structs
from msgspec.json import Decoder

from service.domain import ids
from service.domain.commands import EditQuota, RecordReading
from service.domain.content.redact import redact_text
from service.domain.events import QuotaPolicy
from service.domain.events.quota import Firing, Offset, Ramp, Threshold
from service.domain.instant import Instant
from service.domain.rejections import Validation
from service.http.openapi.operation import QUOTA, described
from service.http.request.fields import Line, RequestBody, instant
from service.http.request.request import WriteRequest
from service.http.response import RawResponse, submit_and_view


class Reading(RequestBody, frozen=True):
    """A reading of a meter: either *utilization*, with *resets_at* where that is known, or a *failure*."""

    utilization: (
        Annotated[float, Meta(ge=0, description="The share of the quota that is used: 0.72 for 72 %. Over 1.5 is refused.")]
        | None
    ) = None
    resets_at: Instant | None = None
    failure: ids.ReadingFailure | None = None
    message: Line | None = None

    def __post_init__(self) -> None:
        """Check what the types cannot express."""
        instant("resets_at", self.resets_at)


class QuotaPolicyPatch(RequestBody, frozen=True):
    """A JSON merge patch of a policy: a missing field stays as it is, null restores the default."""

    fire: Firing | UnsetType | None = UNSET
    threshold: Threshold | UnsetType | None = UNSET
    offset_s: Offset | UnsetType | None = UNSET
    ramp_per_s: Ramp | UnsetType | None = UNSET


class QuotaPatch(QuotaPolicyPatch, frozen=True):
    """The changes of a policy; its fields may also be under `policy`, as in the view."""

    policy: QuotaPolicyPatch | UnsetType | None = UNSET


class Gate(Struct):
    """The part of a quota view that an edit needs."""

    policy: QuotaPolicy = QuotaPolicy()


READING, PATCH = Decoder(Reading), Decoder(QuotaPatch)


@post("/v1/quotas/{quota:str}/readings", **described("RecordReading", Reading, QUOTA, refuses=(422,)))
async def record_reading(request: WriteRequest) -> RawResponse:
    """Record a reading of a meter: a utilization opens a gate whose cause it disproves, a failure may close it."""
    key = request.quota
    body = await request.decoded_body(READING)
    require_one_of(body)
    command = RecordReading(
        quota=key,
        utilization=body.utilization,
        resets_at=body.resets_at,
        failure=body.failure,
        message=body.message and redact_text(body.message),
    )
    return await submit_and_view(request, command, lambda position: request.context.views.quota(key, position))


def require_one_of(reading: Reading) -> None:
    """Refuse a reading that is both a success and a failure, or neither.

    Raises:
        Validation: naming the field.

    """
    if reading.failure is not None and (reading.utilization is not None or reading.resets_at is not None):
        field = "utilization" if reading.utilization is not None else "resets_at"
        raise Validation(f"{field} does not go with failure: the meter answered, or it did not", field=field)
    if reading.failure is None and reading.utilization is None:
        raise Validation("utilization or failure is missing", field="utilization", allowed=["utilization", "failure"])


@patch("/v1/quotas/{quota:str}", **described("EditQuota", QuotaPatch, QUOTA))
async def edit_quota(request: WriteRequest) -> RawResponse:
    """Change the policy of a gate; a quota that is not known yet is created."""
    key = request.quota
    body = await request.decoded_body(PATCH)
    view = await request.context.views.quota(key, None)
    gate = Gate() if view is None else json.decode(view, type=Gate)
    policy = merged_policy(gate.policy, body)
    return await submit_and_view(
        request, EditQuota(quota=key, policy=policy), lambda position: request.context.views.quota(key, position)
    )


def merged_policy(policy: QuotaPolicy, patch: QuotaPatch) -> QuotaPolicy:
    """Return *policy* with *patch* applied: `policy: null` resets all fields first, a field at the top wins over one below."""
    if patch.policy is None:
        policy = QuotaPolicy()
    changes = {
        field: getattr(QuotaPolicy(), field) if value is None else value
        for part in (patch.policy, patch)
        if isinstance(part, QuotaPolicyPatch)
        for field in QuotaPolicyPatch.__struct_fields__
        if (value := getattr(part, field)) is not UNSET
    }
    return structs.replace(policy, **changes)


HANDLERS = (record_reading, edit_quota)
