"""A wait that the caller asked for is no slowness of the service."""

import httpx

from service.http.middleware import Middleware

WAIT_S = 1.0


async def test_the_seconds_of_a_long_poll_leave_out_what_the_caller_wanted_to_wait(app: Middleware) -> None:
    spent: list[float] = []
    served = Middleware(app.app, lambda _method, _route, _status, seconds: spent.append(seconds))
    transport = httpx.ASGITransport(served)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://muster") as client:
        answer = await client.post("/v1/claims", json={"worker": "w", "wait_s": WAIT_S})
    assert answer.json()["claims"] == []
    assert answer.elapsed.total_seconds() >= WAIT_S
    assert len(spent) == 1
    assert spent[0] < WAIT_S
