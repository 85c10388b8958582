"""Diagnostics: one redacted bundle with everything that helps to understand a campaign."""

from hashlib import sha256
from typing import Any

from litestar import post
from msgspec import Struct
from msgspec.json import Decoder, decode

from service.domain.commands import ExportDiagnostic
from service.domain.instant import Instant
from service.domain.rejections import Validation
from service.http.openapi.operation import described
from service.http.request.fields import RequestBody
from service.http.request.request import WriteRequest, require
from service.http.response import RawResponse, json_response, keep, not_found
from service.submission import Answer

FLAGS = {None: False, "": True, "true": True, "false": False, "1": True, "0": False}


class Export(RequestBody, frozen=True):
    """With *force*, a bundle is also made when the last one is less than a minute old."""

    force: bool = False


class Diagnostics(Struct):
    """The bundle; long lists are cut, secrets are `[redacted]`."""

    schema_version: int
    generated_at: Instant
    campaign: dict[str, Any]
    units: dict[str, Any]
    events: list[dict[str, Any]]
    heartbeats: dict[str, Any]
    workers: list[dict[str, Any]]
    engine: dict[str, Any]
    settings: dict[str, Any]
    metrics: str


EXPORT = Decoder(Export)


class BundleCreated(Struct):
    """The time at which a bundle was made."""

    generated_at: Instant


@post(
    "/v1/campaigns/{name:str}/diagnostics",
    **described("ExportDiagnostics", Export, Diagnostics, parameters=("force",), refuses=(404, 409)),
)
async def export_diagnostics(request: WriteRequest) -> RawResponse:
    """Return a bundle as a file: campaign, units, the last 200 events, heartbeats, workers, engine, settings, metrics.

    Asked again for the same campaign within 60 s it is a conflict, unless `force` is true in the body or the query.
    """
    name = request.campaign
    body = await request.decoded_body(EXPORT)
    force = force_flag(request.query_parameter("force")) or body.force
    bundle = require(await request.context.bundles.bundle(name), not_found("campaign", name))
    answer = await request.submit(ExportDiagnostic(campaign=name, sha256=sha256(bundle).hexdigest(), force=force))
    if answer.body is None:
        await keep(request, 200, bundle)
    return download(name, answer, bundle if answer.body is None else answer.body)


def force_flag(value: str | None) -> bool:
    """Return the boolean that the query parameter `force` stands for.

    Raises:
        Validation: it stands for none.

    """
    if value not in FLAGS:
        raise Validation("force must be true or false", field="force", allowed=["true", "false"], current=value)
    return FLAGS[value]


def download(name: str, answer: Answer, bundle: bytes) -> RawResponse:
    """Answer with the bundle as a file."""
    made = decode(bundle, type=BundleCreated).generated_at
    file = f"muster-{name}-{made:%Y-%m-%dT%H%M%SZ}.json"
    headers = ((b"content-disposition", f'attachment; filename="{file}"'.encode()), (b"cache-control", b"no-store"))
    return json_response(bundle, answer, headers=headers)


HANDLERS = (export_diagnostics,)
