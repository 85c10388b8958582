"""Campaigns: create, edit, pause, resume, cancel, and reset the breaker."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from litestar import patch, post
from msgspec import UNSET, Meta, Raw, UnsetType, field, structs
from msgspec.json import Decoder

from service.domain.commands import (
    CancelCampaign,
    CreateCampaign,
    EditCampaign,
    PauseCampaign,
    ResetBreaker,
    ResumeCampaign,
)
from service.domain.content.redact import redact
from service.domain.instant import Instant
from service.domain.rejections import Validation
from service.http.handlers.units import UnitBody, require_few
from service.http.openapi.operation import CAMPAIGN, described
from service.http.request.fields import Labels, Line, Quota, RequestBody, Slug, Text, instant, printable, shallow
from service.http.request.request import WriteRequest
from service.http.response import RawResponse, submit_and_view

POLICY = {"max_attempts": 3, "retry": {"backoff_ms": 1000}, "concurrency": 8}
VERSION_DIGITS = 18


class NewCampaign(RequestBody, frozen=True):
    """A new campaign; *policy* is merged over the defaults."""

    name: Slug
    title: Annotated[str, Meta(max_length=200)] | None = None
    policy: dict[str, Any] = field(default_factory=dict)
    labels: Labels = field(default_factory=dict)
    auto: bool = True
    quota: Quota | None = None
    brief: Text | None = None
    deadline: Instant | None = None
    units: tuple[UnitBody, ...] = ()

    def __post_init__(self) -> None:
        """Check what the types cannot express."""
        printable("quota", self.quota)
        instant("deadline", self.deadline)
        shallow("policy", self.policy)


class CampaignPatch(RequestBody, frozen=True):
    """A JSON merge patch: a missing field stays as it is, null restores the default."""

    title: Annotated[str, Meta(max_length=200)] | UnsetType | None = UNSET
    policy: dict[str, Any] | UnsetType | None = UNSET
    labels: (
        Annotated[dict[Annotated[str, Meta(min_length=1, max_length=128)], Line | None], Meta(max_length=64)] | UnsetType | None
    ) = UNSET
    auto: bool | UnsetType | None = UNSET
    quota: Quota | UnsetType | None = UNSET
    brief: Text | UnsetType | None = UNSET
    deadline: Instant | UnsetType | None = UNSET

    def __post_init__(self) -> None:
        """Check what the types cannot express."""
        printable("quota", self.quota or None)
        instant("deadline", self.deadline or None)
        shallow("policy", self.policy)


class Reason(RequestBody, frozen=True):
    """The reason that the event records."""

    reason: Line | None = None


NEW_CAMPAIGN, CAMPAIGN_PATCH, REASON = Decoder(NewCampaign), Decoder(CampaignPatch), Decoder(Reason)


@post(
    "/v1/campaigns",
    **described("CreateCampaign", NewCampaign, CAMPAIGN, status=201, refuses=(409, 413, 422)),
)
async def create_campaign(request: WriteRequest) -> RawResponse:
    """Create a campaign, with its first units if the body has any; 409 when the name is taken."""
    body = await request.decoded_body(NEW_CAMPAIGN)
    require_few(body.units, "units")
    fields = {name: getattr(body, name) for name in body.__struct_fields__}
    fields["labels"] = redact(body.labels)
    return await submit_and_view(request, CreateCampaign(**fields), view_of(request, body.name), status=201)


def view_of(request: WriteRequest, name: Slug) -> Callable[[int], Awaitable[Raw | None]]:
    """Return the read of a campaign's view at a position."""
    return lambda position: request.context.views.campaign(name, position)


@patch(
    "/v1/campaigns/{name:str}",
    **described("EditCampaign", CampaignPatch, CAMPAIGN, refuses=(404, 412, 422)),
)
async def edit_campaign(request: WriteRequest) -> RawResponse:
    """Change a campaign by a JSON merge patch; with `If-Match`, only when the view's version is still that one."""
    name = request.campaign
    body = await request.decoded_body(CAMPAIGN_PATCH)
    changes = {field: value for field, value in structs.asdict(body).items() if value is not UNSET}
    if changes.get("labels"):
        changes["labels"] = redact(changes["labels"])
    command = EditCampaign(name=name, patch=changes, if_match=matched_version(request))
    return await submit_and_view(request, command, view_of(request, name))


def matched_version(request: WriteRequest) -> int | None:
    """Return the version in `If-Match`: quoted, weak or plain; None, which matches every version, for `*` or no header.

    Raises:
        Validation: the header holds no version.

    """
    header = request.fields.get(b"if-match", b"*").strip()
    if header == b"*":
        return None
    number = header.removeprefix(b"W/").strip(b'"')
    if not number.isdigit() or len(number) > VERSION_DIGITS:
        raise Validation("If-Match holds the view's version", field="If-Match", current=header.decode("latin-1")[:40])
    return int(number)


async def submit_campaign_command(
    request: WriteRequest, command: type[PauseCampaign | ResumeCampaign | CancelCampaign | ResetBreaker]
) -> RawResponse:
    """Submit a command about the campaign of the path; the answer is its view."""
    name = request.campaign
    body = await request.decoded_body(REASON)
    return await submit_and_view(request, command(name=name, reason=body.reason), view_of(request, name))


@post("/v1/campaigns/{name:str}/pause", **described("PauseCampaign", Reason, CAMPAIGN, refuses=(404, 409)))
async def pause_campaign(request: WriteRequest) -> RawResponse:
    """Stop new automatic claims; running work goes on. Pausing twice is one pause."""
    return await submit_campaign_command(request, PauseCampaign)


@post("/v1/campaigns/{name:str}/resume", **described("ResumeCampaign", Reason, CAMPAIGN, refuses=(404, 409)))
async def resume_campaign(request: WriteRequest) -> RawResponse:
    """Allow automatic claims again."""
    return await submit_campaign_command(request, ResumeCampaign)


@post("/v1/campaigns/{name:str}/cancel", **described("CancelCampaign", Reason, CAMPAIGN, refuses=(404, 409)))
async def cancel_campaign(request: WriteRequest) -> RawResponse:
    """Cancel the campaign: units that are not final become cancelled, and their workers are told to stop."""
    return await submit_campaign_command(request, CancelCampaign)


@post("/v1/campaigns/{name:str}/breaker/reset", **described("ResetBreaker", Reason, CAMPAIGN, refuses=(404,)))
async def reset_breaker(request: WriteRequest) -> RawResponse:
    """Count failures from zero and let automatic claims through again."""
    return await submit_campaign_command(request, ResetBreaker)


HANDLERS = (create_campaign, edit_campaign, pause_campaign, resume_campaign, cancel_campaign, reset_breaker)
