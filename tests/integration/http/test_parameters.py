"""The queries of reads: every parameter takes what the OpenAPI document says it takes, and nothing else."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import msgspec
import pytest

from service.settings import Settings
from tests.contract.test_openapi import WRITTEN
from tests.fleet import Fleet, fleet

NAMES = {"name": "nightly", "key": "a", "worker": "w-1", "quota": "anthropic"}
ABSENT = ("{investigation}", "{recovery}")
OPAQUE = ("cursor", "from", "to")
"""What a schema cannot tell all of."""
Case = tuple[str, str, str]


def reads() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every parameter of every read that ends, with its path."""
    for path, methods in msgspec.json.decode(WRITTEN.read_bytes())["paths"].items():
        if "get" in methods and path.startswith("/v1/") and not path.endswith(("/stream", *ABSENT)):
            for one in methods["get"]["parameters"]:
                if one["in"] == "query" and one["name"] not in OPAQUE:
                    yield path.format_map(NAMES), one


def taken(schema: dict[str, Any]) -> Iterator[str]:
    """Yield values at the edges of what a schema takes."""
    schema = schema.get("items", schema)
    yield from schema.get("enum", ())
    yield from (str(schema[edge]) for edge in ("minimum", "maximum") if edge in schema)
    if "maxLength" in schema:
        yield from ("x" * schema["minLength"], "\u00fc" * schema["maxLength"])


def refused(schema: dict[str, Any]) -> Iterator[str]:
    """Yield values just beyond those edges."""
    schema = schema.get("items", schema)
    if schema["type"] == "integer":
        yield from (str(schema["minimum"] - 1), str(schema["maximum"] + 1), "1.0", "", "one")
    elif "enum" in schema:
        yield from ("", "other", schema["enum"][0].upper())
    else:
        yield from ("", "x" * (schema["maxLength"] + 1), "\u0007")


@pytest.fixture
async def here(settings: Settings, pool: asyncpg.Pool) -> AsyncIterator[Fleet]:
    """A service with its projector, and one of everything that a path may name."""
    async with fleet(settings, pool) as running:
        await running.begin("a", quota="anthropic")
        await running.claim(1)
        await running.projector.at_least(running.position)
        yield running


async def test_every_parameter_accepts_documented_values(here: Fleet) -> None:
    cases = [
        (path, one["name"], value)
        for path, one in reads()
        for value in taken(one["schema"])
        if (one["name"], value) != ("at_least", str(2**63 - 1))
    ]
    assert len(cases) > 100
    for path, name, value in cases:
        answer = await here.client.get(path, params={name: value})
        assert answer.status_code == 200, (path, name, value, answer.text)


async def test_every_parameter_refuses_undocumented_values(here: Fleet) -> None:
    cases = [(path, one["name"], value) for path, one in reads() for value in refused(one["schema"])]
    assert len(cases) > 100
    for path, name, value in cases:
        answer = await here.client.get(path, params={name: value})
        assert (answer.status_code, answer.json().get("field")) == (400, name), (path, name, value, answer.text)
