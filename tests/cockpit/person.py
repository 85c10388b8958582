"""A person in front of the cockpit, with a browser that knows forms and cookies and nothing more."""

import re
from html import unescape
from typing import Any

import httpx

SECRET = re.compile(r'name="secret" value="([^"]+)"')
CSRF_FIELD = "secret"
FETCH = {"cockpit-fetch": "1"}


class Person:
    """What a person does, by forms or, *fetched*, as our script does."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def see(self, path: str, status: int = 200) -> str:
        """Return the text of a page."""
        answer = await self.http.get(path)
        assert answer.status_code == status, answer.text
        return unescape(answer.text)

    async def secret(self) -> str:
        """Return the session's secret, as the forms repeat it."""
        found = SECRET.search((await self.http.get("/")).text)
        assert found is not None
        return found[1]

    async def press(self, path: str, *, fetched: bool = False, **fields: str) -> httpx.Response:
        """Send a form."""
        form = {CSRF_FIELD: await self.secret(), **fields}
        return await self.http.post(path, data=form, headers=FETCH if fetched else {})

    async def order(self, path: str, **fields: str) -> str:
        """Send a form, follow it back, and return the page with its flash."""
        form = {CSRF_FIELD: await self.secret(), **fields}
        answer = await self.http.post(path, data=form)
        assert answer.status_code == 303, answer.text
        return await self.see(answer.headers["location"])

    async def api(self, path: str, body: Any = None) -> Any:  # noqa: ANN401 - JSON
        """Call the API, as programs do, and let the views see it."""
        answer = await self.http.post(path, json={} if body is None else body)
        assert answer.status_code < 300, answer.text
        told = answer.json()
        await self.http.get("/v1/engine", params={"at_least": told["position"]})
        return told

    async def view(self, name: str) -> dict[str, Any]:
        """Return a campaign as the API shows it."""
        found: dict[str, Any] = (await self.http.get(f"/v1/campaigns/{name}")).json()
        return found

    async def campaign(self, name: str = "nightly", count: int = 4, **fields: Any) -> None:  # noqa: ANN401 - JSON
        """Create a campaign."""
        units = [{"key": f"unit/{number}"} for number in range(count)]
        await self.api("/v1/campaigns", {"name": name, "units": units, **fields})

    async def claim(self, count: int = 1, worker: str = "w-1") -> list[str]:
        """Claim units and return their tokens."""
        claims = (await self.api("/v1/claims", {"worker": worker, "max": count}))["claims"]
        return [claim["token"] for claim in claims]

    async def fail(self, count: int = 1, error: str = "exit 1: boom 7", **said: Any) -> None:  # noqa: ANN401 - JSON
        """Let units fail."""
        for token in await self.claim(count):
            report = {"type": "failed", "token": token, "reason": "crash", "error": error, **said}
            await self.api("/v1/reports", {"worker": "w-1", "reports": [report]})
