"""The whole service on a database of its own, and a person before it."""

from collections.abc import AsyncIterator

import httpx
import pytest

from projections.cockpit.request import CockpitServices
from service.http.middleware import Middleware
from service.main import create_app
from service.settings import Settings
from tests.alive import alive
from tests.cockpit.person import Person


@pytest.fixture
async def edge(settings: Settings) -> AsyncIterator[Middleware]:
    """A service that runs."""
    edge = create_app(settings)
    assert isinstance(edge, Middleware)
    async with alive(edge.app):
        yield edge


@pytest.fixture
async def person(edge: Middleware) -> AsyncIterator[Person]:
    """Somebody before its cockpit."""
    transport = httpx.ASGITransport(edge, raise_app_exceptions=False)  # type: ignore[arg-type]  # one protocol under two names
    async with httpx.AsyncClient(transport=transport, base_url="http://muster", timeout=30) as http:
        yield Person(http)


@pytest.fixture
def cockpit(edge: Middleware) -> CockpitServices:
    """What the pages share."""
    found: CockpitServices = edge.app.opt["cockpit"]
    return found
