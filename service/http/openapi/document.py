"""The OpenAPI 3.1 document, generated from the routes and from the types that they decode and encode."""

import re
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from typing import Annotated, Any

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from msgspec import Meta, Struct
from msgspec.json import schema_components
from msgspec.structs import fields

from service.domain.decode_error import END
from service.http.openapi.examples import ANSWERS, EXAMPLES
from service.http.openapi.operation import CAMPAIGN as VERSIONED
from service.http.openapi.parameters import IN_HEADER, parameter
from service.http.problems import KINDS, MEDIA_TYPE
from service.route_options import OperationDescription

REF = "#/components/schemas/{name}"
JSON, NDJSON = "application/json", "application/x-ndjson"
MEDIA: dict[object, str] = {bytes: "text/event-stream", str: "text/plain"}
ALWAYS = (400, 503)
WRITES = ("POST", "PATCH")
TAGS = {
    "campaigns": "Campaigns and their units: begun, edited, switched, read.",
    "claims": "What a worker asks for, and what it says of one claim.",
    "engine": "The switch of the whole engine, its pool and its sweeps.",
    "events": "The log, as pages and as a stream.",
    "investigations": "Quarantined units that somebody looks into.",
    "quotas": "Providers and accounts: their gates, policies and readings.",
    "recovery": "Plans for campaigns whose workers died while the service was away.",
    "reports": "What a worker says, many items at once.",
    "service": "Health, readiness and metrics of this replica.",
    "workers": "The workers, their levels, and commands to drain or fence one.",
}
"""What the operations of a tag are about."""
HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    "Muster-Position": ("Position of the last event in the log.", {"type": "integer"}),
    "Idempotency-Replayed": (
        "`true` when the key was answered before, and this is that answer.",
        {"type": "string", "const": "true"},
    ),
    "ETag": ("Version of the view, for `If-Match`.", {"type": "string"}),
    "Retry-After": ("Seconds after which to ask again.", {"type": "integer"}),
}
"""The headers of answers."""


class ProblemDocument(Struct):
    """An error (RFC 9457), with what helps to correct it: the field, what is allowed, and the current value."""

    type: Annotated[str, Meta(examples=["/problems/validation"])]
    title: str
    status: int
    detail: str
    field: str | None = None
    allowed: Any = None
    current: Any = None


class Operation(Struct):
    """One handler at one path, with its description."""

    path: str
    method: str
    handler: HTTPRouteHandler
    description: OperationDescription


def document(app: Litestar) -> dict[str, Any]:
    """Return the OpenAPI document of every described route of *app*."""
    operations = list(described_operations(app))
    schemas, components = schema_components(types_of(operations), ref_template=REF)
    for name, example in ANSWERS.items():
        components.get(name, {})["examples"] = [example]
    by_type = dict(zip(map(repr, types_of(operations)), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in sorted(operations, key=lambda one: (one.path, one.method)):
        paths.setdefault(operation.path, {})[operation.method.lower()] = operation_object(operation, by_type)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Muster", "version": version("muster"), "description": "The control plane of campaigns."},
        "servers": [{"url": "/"}],
        "security": [],
        "tags": [{"name": tag, "description": TAGS[tag]} for tag in sorted({tag_of(path) for path in paths})],
        "paths": paths,
        "components": {"schemas": portable(components), "responses": dict(problem_responses())},
    }


def described_operations(app: Litestar) -> Iterator[Operation]:
    """Yield the routes with a description of ours, and those that Litestar may describe."""
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            continue
        for handler in route.route_handlers:
            description = handler.opt.get("description")
            if description is None and handler.resolve_include_in_schema() and isinstance(handler.operation_id, str):
                description = OperationDescription(operation=handler.operation_id, answer=dict[str, Any])
            if description is not None:
                for method in handler.http_methods:
                    yield Operation(route.path_format, str(method), handler, description)


def types_of(operations: list[Operation]) -> list[Any]:
    """Return each type in the operations once."""
    kinds = [kind for one in operations for kind in (one.description.body, one.description.answer)]
    types = {repr(kind): kind for kind in (ProblemDocument, *kinds) if kind is not None and not isinstance(kind, str)}
    return list(types.values())


def operation_object(operation: Operation, by_type: dict[str, Any]) -> dict[str, Any]:
    """Return one operation of the document."""
    described = operation.description
    summary, _, rest = (operation.handler.fn.__doc__ or "").partition("\n")
    result: dict[str, Any] = {
        "operationId": described.operation,
        "tags": [tag_of(operation.path)],
        "summary": summary,
        "parameters": list(parameters(operation)),
        "responses": responses(operation, by_type),
    }
    if rest.strip():
        result["description"] = re.sub(r"\s*\n\s*", " ", rest).strip()
    if described.body is not None:
        result["requestBody"] = {"required": body_required(described.body), "content": body_content(described, by_type)}
    return result


def tag_of(path: str) -> str:
    """Return the tag of a path.

    >>> tag_of("/v1/campaigns/{name}/units"), tag_of("/metrics")
    ('campaigns', 'service')
    """
    return path.split("/")[2] if path.startswith("/v1/") else "service"


def parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    """Yield the parameters in the path, in the query, and in the headers that the route reads."""
    described = operation.description
    for name in re.findall(r"{(\w+)}", operation.path):
        yield parameter(name, "path", described.operation)
    for name in described.parameters:
        yield parameter(name, "query", described.operation)
    headers = {
        "Idempotency-Key": operation.method == "POST",
        "If-Match": described.operation == "EditCampaign",
        "traceparent": operation.method in WRITES,
        "Last-Event-ID": described.answer is bytes,
    }
    yield from (parameter(name, "header", described.operation) for name in IN_HEADER if headers[name])


def body_required(body: Any) -> bool:  # noqa: ANN401 - a type of any form
    """Tell whether a request needs its body."""
    return not isinstance(body, type) or any(field.required for field in fields(body))


def body_content(described: OperationDescription, by_type: dict[str, Any]) -> dict[str, Any]:
    """Return the media types of a body, with schema and example."""
    example = EXAMPLES.get(described.operation)
    content: dict[str, Any] = {
        JSON: {"schema": schema_of(described.body, by_type)} | ({} if example is None else {"example": example})
    }
    if described.lines:
        what = {"type": "string", "description": "One unit a line, streamed, up to millions."}
        content[NDJSON] = {"schema": what, "example": '{"key":"a"}\n{"key":"b","depends_on":["a"]}\n'}
    return content


def schema_of(kind: Any, by_type: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - a type of any form
    """Return the schema of a type, or a reference to the schema of that name."""
    if isinstance(kind, str):
        return {"$ref": REF.format(name=kind)}
    schema: dict[str, Any] = portable(by_type[repr(kind)])
    return schema


def responses(operation: Operation, by_type: dict[str, Any]) -> dict[str, Any]:
    """Return the responses of an operation."""
    described, writes = operation.description, operation.method in WRITES
    media = MEDIA.get(described.answer, JSON) if isinstance(described.answer, type) else JSON
    schema = {"type": "string"} if media != JSON else schema_of(described.answer, by_type)
    success: dict[str, Any] = {
        "description": "Done." if writes else "What was asked for.",
        "content": {media: {"schema": schema}},
    }
    names = {
        "Muster-Position": writes,
        "Idempotency-Replayed": operation.method == "POST",
        "ETag": VERSIONED in (described.answer, getattr(described.answer, "__name__", None)),
    }
    if carried := headers(name for name, carries in names.items() if carries):
        success["headers"] = carried
    refused = {*described.refuses, *ALWAYS, *((413,) if writes else ()), *((422,) if operation.method == "POST" else ())}
    answers = {str(described.status): success}
    return answers | {str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in sorted(refused)}


def headers(names: Iterable[str]) -> dict[str, Any]:
    """Return the descriptions of headers."""
    return {name: {"description": HEADERS[name][0], "schema": HEADERS[name][1]} for name in names}


def problem_responses() -> Iterator[tuple[str, Any]]:
    """Yield one response for each status of a problem."""
    for status in sorted({kind.status for kind in KINDS.values()}):
        kinds = [kind for kind in KINDS.values() if kind.status == status]
        what = " ".join(f"`{kind.slug}`: {kind.__doc__}" for kind in kinds)
        example = {"type": f"/problems/{kinds[0].slug}", "title": kinds[0].title, "status": status, "detail": "…"}
        content = {MEDIA_TYPE: {"schema": {"$ref": REF.format(name="ProblemDocument")}, "example": example}}
        later = headers(["Retry-After"]) if all(kind.retry_after_s is not None for kind in kinds) else {}
        yield f"Problem{status}", {"description": what, "content": content} | ({"headers": later} if later else {})


def portable(schema: Any) -> Any:  # noqa: ANN401 - JSON
    """Return *schema* in JSON types, with patterns in the regular expressions of JSON Schema."""
    if isinstance(schema, dict):
        return {name: portable(value) for name, value in schema.items()}
    if isinstance(schema, list | tuple):
        return [portable(value) for value in schema]
    return schema.replace(END, "") if isinstance(schema, str) else schema
