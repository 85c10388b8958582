"""What is sent over OTLP, where to, and what went wrong last: on the page of health, and in the bundle."""

import asyncio

import httpx
from litestar import Litestar
from msgspec.structs import replace

from service.http.middleware import Middleware
from service.main import create_app
from service.settings import Settings
from tests.alive import alive
from tests.cockpit.person import Person
from tests.patience import PATIENCE_S

SECRET = "tr0ub4dor"


async def test_who_sends_nothing_over_otlp_is_told_what_to_set(person: Person) -> None:
    assert "MUSTER_OTLP_ENDPOINT" in (await person.http.get("/health")).text


async def test_a_receiver_that_is_not_there_is_shown_with_the_last_error_and_without_its_password(settings: Settings) -> None:
    """Metrics, 3.4: in the cockpit and in the diagnostic export."""
    endpoint = f"http://me:{SECRET}@127.0.0.1:1/v1/metrics?key={SECRET}"
    edge = create_app(replace(settings, otlp_endpoint=endpoint, otlp_interval_s=0.1, otlp_timeout_s=0.5))
    assert isinstance(edge, Middleware)
    assert isinstance(edge.app, Litestar)
    transport = httpx.ASGITransport(edge)  # type: ignore[arg-type]  # one protocol under two names
    async with alive(edge.app), httpx.AsyncClient(transport=transport, base_url="http://muster", timeout=30) as http:
        health = ""
        async with asyncio.timeout(PATIENCE_S):
            while "Last error" not in health:
                health = (await http.get("/health")).text
        for words in ("Metrics to", "http://127.0.0.1:1/v1/metrics", "failure", "ConnectError"):
            assert words in health
        (await http.post("/v1/campaigns", json={"name": "n"})).raise_for_status()
        bundle = await http.post("/v1/campaigns/n/diagnostics")
    (sent,) = bundle.json()["exports"]
    assert (sent["endpoint"], sent["protocol"], sent["result"]) == ("http://127.0.0.1:1/v1/metrics", "http/protobuf", "failure")
    assert "ConnectError" in sent["error"]
    assert SECRET not in health + bundle.text
