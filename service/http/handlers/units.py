"""Units: what a person orders about one of them."""

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
from service.http.openapi.operation import UNIT, described
from service.http.problems import PayloadTooLarge
from service.http.request.fields import Instant, Int32, Key, Line, RequestBody, instant, null, printable
from service.http.request.request import WriteRequest
from service.http.response import RawResponse, submit_and_view

LONGEST_S = 1e9


class UnitBody(UnitSpec, frozen=True, forbid_unknown_fields=True):
    """One unit of an import; lower *group* runs earlier, higher *priority* first; *payload* is any JSON up to 256 KiB."""

    key: Key
    payload: Raw = field(default_factory=null)
    group: Int32 = ids.DEFAULT_GROUP
    priority: Int32 = 0
    depends_on: Annotated[tuple[Key, ...], Meta(max_length=1000)] = ()
    estimate_s: Annotated[float, Meta(ge=0, le=LONGEST_S)] | None = None

    def __post_init__(self) -> None:
        """Check what the types cannot say."""
        printable("key", self.key)
        require_fit("payload", self.payload)
        for key in self.depends_on:
            printable("depends_on", key)


MOST_UNITS = 20_000
"""As many as one transaction adds in a few seconds; lines are stored a thousand a transaction, and have no end."""


def require_few(units: Sequence[UnitBody], field: str | None = None) -> None:
    """Refuse an array of more units than are stored as one whole."""
    if len(units) > MOST_UNITS:
        detail = f"an array holds at most {MOST_UNITS} units, this one holds {len(units)}: send lines (application/x-ndjson)"
        raise PayloadTooLarge(detail, field=field, allowed=MOST_UNITS)


class UnitReason(RequestBody, frozen=True):
    """Why a person does this."""

    reason: Line | None = None


class UnitPark(RequestBody, frozen=True):
    """Until when the unit is set aside: an hour from now when no time is given."""

    resume_at: Instant | None = None
    reason: Line | None = None

    def __post_init__(self) -> None:
        """Check what the types cannot say."""
        instant("resume_at", self.resume_at)


REASON, PARK = Decoder(UnitReason), Decoder(UnitPark)


async def ordered(request: WriteRequest, command: type[UnitCommand]) -> RawResponse:
    """Have an order about a unit carried out; the answer is the unit."""
    campaign, key = request.campaign, request.unit
    body = await request.decoded_body(REASON)
    return await carried_out(request, command(campaign=campaign, key=key, reason=body.reason))


async def carried_out(request: WriteRequest, command: UnitCommand) -> RawResponse:
    """Submit an order about a unit, and answer with the unit."""
    views = request.context.views
    return await submit_and_view(request, command, lambda position: views.unit(command.campaign, command.key, position))


@post("/v1/campaigns/{name:str}/units/{key:str}/retry", **described("RetryUnit", UnitReason, UNIT, refuses=(404, 409)))
async def retry_unit(request: WriteRequest) -> RawResponse:
    """Send a quarantined unit back to work with its attempts at zero, or end the rest of a delayed one.

    One whose dependency is quarantined, skipped or cancelled would be skipped at once: 409, `current` names the dependency.
    """
    return await ordered(request, RetryUnit)


@post("/v1/campaigns/{name:str}/units/{key:str}/park", **described("ParkUnit", UnitPark, UNIT, refuses=(404, 409, 422)))
async def park_unit(request: WriteRequest) -> RawResponse:
    """Set a unit aside until a time; nothing is counted."""
    campaign, key = request.campaign, request.unit
    body = await request.decoded_body(PARK)
    return await carried_out(request, ParkUnit(campaign=campaign, key=key, reason=body.reason, resume_at=body.resume_at))


@post("/v1/campaigns/{name:str}/units/{key:str}/unpark", **described("UnparkUnit", UnitReason, UNIT, refuses=(404, 409)))
async def unpark_unit(request: WriteRequest) -> RawResponse:
    """End the pause of a unit now."""
    return await ordered(request, UnparkUnit)


@post(
    "/v1/campaigns/{name:str}/units/{key:str}/quarantine",
    **described("QuarantineUnit", UnitReason, UNIT, refuses=(404, 409)),
)
async def quarantine_unit(request: WriteRequest) -> RawResponse:
    """Take a unit out until somebody retries it; what depends on it is skipped."""
    return await ordered(request, QuarantineUnit)


@post("/v1/campaigns/{name:str}/units/{key:str}/cancel", **described("CancelUnit", UnitReason, UNIT, refuses=(404, 409)))
async def cancel_unit(request: WriteRequest) -> RawResponse:
    """Give a unit up; what depends on it is skipped."""
    return await ordered(request, CancelUnit)


@post("/v1/campaigns/{name:str}/units/{key:str}/stop", **described("StopUnit", UnitReason, UNIT, refuses=(404, 409)))
async def stop_unit(request: WriteRequest) -> RawResponse:
    """Take a unit from its worker, neutrally: it is ready again, and the worker is told to stop."""
    return await ordered(request, StopUnit)


HANDLERS = (retry_unit, park_unit, unpark_unit, quarantine_unit, cancel_unit, stop_unit)
