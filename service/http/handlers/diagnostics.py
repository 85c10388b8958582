"""Diagnostics: one bundle with everything that helps to understand a campaign, without its secrets."""

from datetime import datetime
from hashlib import sha256
from typing import Any

from litestar import post
from msgspec import Struct
from msgspec.json import Decoder, decode

from service.domain.commands import ExportDiagnostic
from service.domain.rejections import Validation
from service.http.openapi.operation import described
from service.http.request.fields import RequestBody
from service.http.request.request import WriteRequest, require
from service.http.response import RawResponse, json_response, keep, not_found
from service.submission import Answer

FLAGS = {None: False, "": True, "true": True, "false": False, "1": True, "0": False}


class Export(RequestBody, frozen=True):
    """With *force*, also when the last bundle is less than a minute old."""

    force: bool = False


class Diagnostics(Struct):
    """The bundle; lists are cut to what a person can look through, secrets are `[redacted]`."""

    schema_version: int
    generated_at: datetime
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
    """When a bundle was made."""

    generated_at: datetime


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
    force = flag(request.query_parameter("force")) or body.force
    bundle = require(await request.context.bundles.bundle(name), not_found("campaign", name))
    answer = await request.submit(ExportDiagnostic(campaign=name, sha256=sha256(bundle).hexdigest(), force=force))
    if answer.body is None:
        await keep(request, 200, bundle)
    return download(name, answer, bundle if answer.body is None else answer.body)


def flag(given: str | None) -> bool:
    """Return what a switch of the query says."""
    if given not in FLAGS:
        raise Validation("force must be true or false", field="force", allowed=["true", "false"], current=given)
    return FLAGS[given]


def download(name: str, answer: Answer, bundle: bytes) -> RawResponse:
    """Answer with a file."""
    made = decode(bundle, type=BundleCreated).generated_at
    file = f"muster-{name}-{made:%Y-%m-%dT%H%M%SZ}.json"
    headers = ((b"content-disposition", f'attachment; filename="{file}"'.encode()), (b"cache-control", b"no-store"))
    return json_response(bundle, answer, headers=headers)


HANDLERS = (export_diagnostics,)
