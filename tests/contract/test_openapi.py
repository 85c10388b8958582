"""The OpenAPI document is true: of the routes, of the bodies, of the contract."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from msgspec.inspect import DateTimeType, Metadata, StructType, Type, multi_type_info

from projections.cockpit.routes import COCKPIT_ROUTES
from service.http.handlers.bulk_retry import RetryAnswer
from service.http.handlers.unit_import import ImportAnswer
from service.http.middleware import Middleware
from service.http.openapi.document import described_operations, document, types_of
from service.http.openapi.examples import ANSWERS, EXAMPLES
from service.http.problems import KINDS
from service.main import create_app
from service.settings import Settings

WRITTEN = Path(__file__).parents[2] / "ops" / "reference" / "openapi.json"
SILENT = {"/schema", "/schema/openapi.json", "/problems/{slug}"}
"""Pages for people, which the document does not describe."""
CONTRACT = """
POST /v1/campaigns · GET /v1/campaigns · GET /v1/campaigns/{name} · PATCH /v1/campaigns/{name} · POST /v1/campaigns/{name}/pause
POST /v1/campaigns/{name}/resume · POST /v1/campaigns/{name}/cancel · POST /v1/campaigns/{name}/breaker/reset
POST /v1/campaigns/{name}/retry-failed · POST /v1/campaigns/{name}/units · GET /v1/campaigns/{name}/units
GET /v1/campaigns/{name}/units/{key} · GET /v1/campaigns/{name}/units/{key}/events · GET /v1/campaigns/{name}/units/{key}/explain
POST /v1/campaigns/{name}/units/{key}/retry · POST /v1/campaigns/{name}/units/{key}/park
POST /v1/campaigns/{name}/units/{key}/unpark · POST /v1/campaigns/{name}/units/{key}/quarantine
POST /v1/campaigns/{name}/units/{key}/cancel · POST /v1/campaigns/{name}/units/{key}/stop
GET /v1/campaigns/{name}/quarantine · GET /v1/campaigns/{name}/workers · GET /v1/campaigns/{name}/heartbeats
GET /v1/campaigns/{name}/waves · GET /v1/campaigns/{name}/result · POST /v1/claims · POST /v1/reports
POST /v1/claims/{token}/heartbeat
POST /v1/claims/{token}/complete · POST /v1/claims/{token}/fail · POST /v1/claims/{token}/park · POST /v1/claims/{token}/release
GET /v1/workers · GET /v1/workers/{worker} · POST /v1/workers/{worker}/drain · POST /v1/workers/{worker}/fence · GET /v1/engine
PATCH /v1/engine · POST /v1/engine/pause · POST /v1/engine/resume · POST /v1/engine/tick · POST /v1/quotas/{quota}/readings
GET /v1/quotas · GET /v1/quotas/{quota} · PATCH /v1/quotas/{quota} · GET /v1/events · GET /v1/events/stream · GET /healthz
GET /readyz · GET /metrics · POST /v1/campaigns/{name}/diagnostics · GET /v1/recovery · POST /v1/recovery/{recovery}/apply
POST /v1/recovery/{recovery}/decline · GET /v1/investigations · POST /v1/investigations/{investigation}/result
"""


@pytest.fixture(scope="module")
def app() -> Litestar:
    """The whole app; nothing is opened."""

    async def built() -> Litestar:
        edge = create_app(Settings())
        assert isinstance(edge, Middleware)
        return edge.app

    return asyncio.run(built())


@pytest.fixture(scope="module")
def drawn(app: Litestar) -> dict[str, Any]:
    """The document as a client reads it."""
    decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document(app)))
    return decoded


def operations(drawn: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every operation under its method and path."""
    for path, methods in drawn["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_every_route_of_the_contract_is_described(drawn: dict[str, Any]) -> None:
    described = {name for name, _ in operations(drawn)}
    wanted = {route.strip() for route in re.split(r"[·\n]", CONTRACT) if route.strip()}
    assert not wanted - described


def test_every_route_is_described_or_a_page_for_people(app: Litestar, drawn: dict[str, Any]) -> None:
    routes = {
        (route.path_format, method)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method in route.methods
        if method not in ("HEAD", "OPTIONS")
    }
    missing = {path for path, method in routes if method.lower() not in drawn["paths"].get(path, {})}
    assert missing == SILENT.union(*map(paths, COCKPIT_ROUTES))


def paths(handler: HTTPRouteHandler) -> set[str]:
    """Return the paths of a page of the cockpit, as the routes name them."""
    return {re.sub(r":\w+}", "}", path) for path in handler.paths}


def test_every_operation_has_a_name_of_its_own_a_summary_and_its_path_parameters(drawn: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in operations(drawn)]
    assert len(set(names)) == len(names)
    for name, operation in operations(drawn):
        assert operation["summary"], name
        given = [one["name"] for one in operation["parameters"] if one["in"] == "path"]
        assert given == re.findall(r"{(\w+)}", name)
        assert all(one["description"] for one in operation["parameters"]), name


def test_every_tag_is_explained_once(drawn: dict[str, Any]) -> None:
    names = [tag["name"] for tag in drawn["tags"]]
    assert names == sorted({tag for _, operation in operations(drawn) for tag in operation["tags"]})
    assert all(tag["description"] for tag in drawn["tags"])


def test_the_headers_of_answers_are_described(drawn: dict[str, Any]) -> None:
    described = {
        operation["operationId"]: set(response.get("headers", {}))
        for _, operation in operations(drawn)
        for status, response in operation["responses"].items()
        if int(status) < 300
    }
    assert described["CreateCampaign"] == {"Muster-Position", "Idempotency-Replayed", "ETag"}
    assert described["EditCampaign"] == {"Muster-Position", "ETag"}
    assert described["Heartbeat"] == {"Muster-Position", "Idempotency-Replayed"}
    assert described["GetCampaign"] == {"ETag"}
    assert described["ListCampaigns"] == set()
    later = {name for name, response in drawn["components"]["responses"].items() if "Retry-After" in response.get("headers", {})}
    assert later == {"Problem429", "Problem503"}


def test_every_reference_leads_somewhere(drawn: dict[str, Any]) -> None:
    for reference in set(re.findall(r'"\$ref":"#/([^"]+)"', msgspec.json.encode(drawn).decode())):
        place: Any = drawn
        for part in reference.split("/"):
            place = place[part]
        assert place


def test_every_body_has_an_example_that_its_type_accepts(app: Litestar) -> None:
    bodies = {one.description.operation: one.description.body for one in described_operations(app) if one.description.body}
    assert set(EXAMPLES) == set(bodies)
    for name, body in bodies.items():
        msgspec.json.decode(msgspec.json.encode(EXAMPLES[name]), type=body)


def test_every_example_of_an_answer_is_of_its_type(app: Litestar) -> None:
    types = {kind.__name__: kind for one in described_operations(app) if isinstance(kind := one.description.answer, type)}
    types |= {"ImportAnswer": ImportAnswer, "RetryAnswer": RetryAnswer}
    for name, example in ANSWERS.items():
        msgspec.json.decode(msgspec.json.encode(example), type=types[name])


def test_every_refusal_is_a_problem_document(drawn: dict[str, Any]) -> None:
    for name, operation in operations(drawn):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert response == {"$ref": f"#/components/responses/Problem{status}"}, name
    statuses = {f"Problem{kind.status}" for kind in KINDS.values()}
    assert set(drawn["components"]["responses"]) == statuses
    for response in drawn["components"]["responses"].values():
        assert list(response["content"]) == ["application/problem+json"]


def test_the_written_document_is_fresh(drawn: dict[str, Any]) -> None:
    assert msgspec.json.decode(WRITTEN.read_bytes()) == drawn


def test_every_instant_says_that_it_has_a_zone(app: Litestar) -> None:
    """Every instant of a request and an answer is an `Instant`, which alone the document describes as a `date-time`."""
    kinds = types_of(list(described_operations(app)))
    structs = [one for kind in multi_type_info(kinds) for one in struct_types(kind, set())]
    instants = {
        f"{struct.cls.__name__}.{field.name}": one.tz
        for struct in structs
        for field in struct.fields
        for one in types_within(field.type)
        if isinstance(one, DateTimeType)
    }
    assert {"CampaignView.eta", "UnitView.due_at", "Blocker.clears_at", "Grant.lease_until"} <= set(instants)
    assert not {place for place, zone in instants.items() if zone is not True}


def types_within(kind: Type) -> Iterator[Type]:
    """Yield *kind* and the types within it, short of the fields of a struct."""
    yield kind
    parts = (*getattr(kind, "types", ()), *getattr(kind, "item_types", ()))
    single = (getattr(kind, name, None) for name in ("item_type", "key_type", "value_type"))
    inner = kind.type if isinstance(kind, Metadata) else None
    for part in (*parts, *single, inner):
        if isinstance(part, Type):
            yield from types_within(part)


def struct_types(kind: Type, seen: set[type]) -> Iterator[StructType]:
    """Yield every struct that *kind* leads to, once."""
    for one in types_within(kind):
        if isinstance(one, StructType) and one.cls not in seen:
            seen.add(one.cls)
            yield one
            for field in one.fields:
                yield from struct_types(field.type, seen)
