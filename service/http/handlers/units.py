"""Units: the body of an imported one, and commands about a single one."""

from collections.abc import Sequence
from typing import Annotated

from litestar import post
from msgspec import Meta, Raw, field
from msgspec.json import Decoder

from service.domain import ids
from service.domain.commands import (
    CancelUnit,
    ParkUnit,
    QuarantineUnit,
    RetryUnit,
    StopUnit,
    UnitCommand,
    UnitSpec,
    UnparkUnit,
)
from service.domain.content.json_limits import require_fit
from service.domain.instant import Instant
from service.http.openapi.operation import UNIT, described
from service.http.problems import PayloadTooLarge
from service.http.request.fields import Int32, Key, Line, ParkSeconds, RequestBody, instant, null, printable
from service.http.request.request import WriteRequest
from service.http.response import RawResponse, submit_and_view

LONGEST_S = 1e9


class UnitBody(UnitSpec, frozen=True, forbid_unknown_fields=True):
    """One unit of an import. A lower *group* runs earlier, a higher *priority* first; *payload* is any JSON up to 256 KiB."""

    key: Key
    payload: Raw = field(default_factory=null)
    group: Int32 = ids.DEFAULT_GROUP
    priority: Int32 = 0
    depends_on: Annotated[tuple[Key, ...], Meta(max_length=1000)] = ()
    estimate_s: Annotated[float, Meta(ge=0, le=LONGEST_S)] | None = None

    def __post_init__(self) -> None:
        """Check what the types cannot express."""
        printable("key", self.key)
        require_fit("payload", self.payload)
        for key in self.depends_on:
            printable("depends_on", key)


MAX_UNITS = 20_000
"""The units that one transaction can add in a few seconds; NDJSON has no such limit, since it is stored in chunks."""


def require_few(units: Sequence[UnitBody], field: str | None = None) -> None:
    """Refuse an array of more units than one transaction adds.

    Raises:
        PayloadTooLarge: it has more.

    """
    if len(units) > MAX_UNITS:
        detail = f"an array holds at most {MAX_UNITS} units, this one holds {len(units)}: send lines (application/x-ndjson)"
        raise PayloadTooLarge(detail, field=field, allowed=MAX_UNITS)


class UnitReason(RequestBody, frozen=True):
    """The reason that the event records."""

    reason: Line | None = None


class UnitPark(RequestBody, frozen=True):
    """The end of the park, *resume_after_s* from now where that is given; without either, an hour from now.

    A *resume_at* that is not at least the campaign's back-off ahead is 15 minutes from now.
    """

    resume_at: Instant | None = None
    resume_after_s: ParkSeconds | None = None
    reason: Line | None = None

    def __post_init__(self) -> None:
        """Check what the types cannot express."""
        instant("resume_at", self.resume_at)


REASON, PARK = Decoder(UnitReason), Decoder(UnitPark)


async def submit_unit_command(request: WriteRequest, command: type[UnitCommand]) -> RawResponse:
    """Submit a command about the unit of the path; the answer is the unit."""
    campaign, key = request.campaign, request.unit
    body = await request.decoded_body(REASON)
    return await submit_and_view_unit(request, command(campaign=campaign, key=key, reason=body.reason))


async def submit_and_view_unit(request: WriteRequest, command: UnitCommand) -> RawResponse:
    """Submit *command*, and answer with its unit."""
    views = request.context.views
    return await submit_and_view(request, command, lambda position: views.unit(command.campaign, command.key, position))


@post("/v1/campaigns/{name:str}/units/{key:str}/retry", **described("RetryUnit", UnitReason, UNIT, refuses=(404, 409)))
async def retry_unit(request: WriteRequest) -> RawResponse:
    """Make a quarantined unit ready again with its attempts at zero, or end the delay of a delayed one.

    A unit whose dependency is quarantined, skipped or cancelled would be skipped at once: 409, `current` names the dependency.
    """
    return await submit_unit_command(request, RetryUnit)


@post("/v1/campaigns/{name:str}/units/{key:str}/park", **described("ParkUnit", UnitPark, UNIT, refuses=(404, 409, 422)))
async def park_unit(request: WriteRequest) -> RawResponse:
    """Park a unit until a time; no attempt is counted."""
    campaign, key = request.campaign, request.unit
    body = await request.decoded_body(PARK)
    until, after = body.resume_at, body.resume_after_s
    command = ParkUnit(campaign=campaign, key=key, reason=body.reason, resume_at=until, resume_after_s=after)
    return await submit_and_view_unit(request, command)


@post("/v1/campaigns/{name:str}/units/{key:str}/unpark", **described("UnparkUnit", UnitReason, UNIT, refuses=(404, 409)))
async def unpark_unit(request: WriteRequest) -> RawResponse:
    """End the park of a unit now."""
    return await submit_unit_command(request, UnparkUnit)


@post(
    "/v1/campaigns/{name:str}/units/{key:str}/quarantine",
    **described("QuarantineUnit", UnitReason, UNIT, refuses=(404, 409)),
)
async def quarantine_unit(request: WriteRequest) -> RawResponse:
    """Quarantine a unit until it is retried; the units that depend on it are skipped."""
    return await submit_unit_command(request, QuarantineUnit)


@post("/v1/campaigns/{name:str}/units/{key:str}/cancel", **described("CancelUnit", UnitReason, UNIT, refuses=(404, 409)))
async def cancel_unit(request: WriteRequest) -> RawResponse:
    """Cancel a unit for good; the units that depend on it are skipped."""
    return await submit_unit_command(request, CancelUnit)


@post("/v1/campaigns/{name:str}/units/{key:str}/stop", **described("StopUnit", UnitReason, UNIT, refuses=(404, 409)))
async def stop_unit(request: WriteRequest) -> RawResponse:
    """Revoke the unit's claim without counting an attempt: it is ready again, and its worker is told to stop."""
    return await submit_unit_command(request, StopUnit)


HANDLERS = (retry_unit, park_unit, unpark_unit, quarantine_unit, cancel_unit, stop_unit)
