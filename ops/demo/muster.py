"""The demo's view of Muster: plain REST, patient while the service is away."""

import re
import time
from collections.abc import Iterator
from typing import Any, Self
from urllib.parse import quote

import httpx

PATIENCE_S = 120.0
CHUNK = 1000
SAMPLE = re.compile(r"^muster_campaign_units\{(?P<labels>[^}]*)\} (?P<value>\S+)", re.MULTILINE)
LABEL = re.compile(r'(\w+)="([^"]*)"')

Document = dict[str, Any]


class DemoError(Exception):
    """The demo cannot go on; the text says why."""


class Muster:
    """One running service."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(base_url=self.url, timeout=30.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def create(self, name: str, policy: Document, **fields: object) -> bool:
        """Create the campaign; say whether it is new."""
        body = {"name": name, "policy": policy, **fields}
        return self._ask("POST", "/v1/campaigns", json=body, also=(409,)).status_code != 409

    def add(self, name: str, units: list[Document]) -> int:
        """Import *units*, in chunks; return how many were new."""
        chunks = (units[start : start + CHUNK] for start in range(0, len(units), CHUNK))
        return sum(self._ask("POST", f"/v1/campaigns/{name}/units", json=chunk).json()["added"] for chunk in chunks)

    def campaign(self, name: str, at_least: int = 0) -> Document:
        """Read the campaign view, not before log position *at_least*."""
        view: Document = self._ask("GET", f"/v1/campaigns/{name}", params={"at_least": at_least}).json()
        return view

    def unfinished(self, label: tuple[str, str]) -> str | None:
        """Return the newest campaign with *label* that still runs."""
        running = self._pages("/v1/campaigns", {"state": "running", "label": "=".join(label)})
        return max(running, key=lambda view: str(view["created_at"]), default={"name": None})["name"]

    def unit(self, name: str, key: str) -> Document:
        """Read one unit with its attempts."""
        return self.read(f"/v1/campaigns/{name}/units/{quote(key, safe='')}")

    def units(self, name: str) -> Iterator[Document]:
        """Read every unit of the campaign."""
        return self._pages(f"/v1/campaigns/{name}/units", {})

    def story(self, name: str, key: str) -> Iterator[Document]:
        """Read the events of one unit from its beginning."""
        return self._pages(f"/v1/campaigns/{name}/units/{quote(key, safe='')}/events", {})

    def read(self, path: str) -> Document:
        """Read what *path* shows."""
        found: Document = self._ask("GET", path).json()
        return found

    def order(self, path: str, body: Document) -> Document:
        """Order something and return the answer."""
        answer: Document = self._ask("POST", path, json=body).json()
        return answer

    def quarantine(self, name: str) -> Iterator[Document]:
        """Read every quarantined unit with its screen."""
        return self._pages(f"/v1/campaigns/{name}/quarantine", {})

    def events(self, name: str) -> Iterator[Document]:
        """Read the campaign's log from its beginning."""
        return self._pages("/v1/events", {"campaign": name})

    def head(self) -> int:
        """Return the position of the log's last event."""
        return int(self._ask("GET", "/v1/engine").json()["position"])

    def measured(self, name: str) -> dict[str, int]:
        """Read `muster_campaign_units` from /metrics: how many units are in which state."""
        text = self._ask("GET", "/metrics").text
        samples = ((dict(LABEL.findall(found["labels"])), found["value"]) for found in SAMPLE.finditer(text))
        return {labels["state"]: int(float(value)) for labels, value in samples if labels["campaign"] == name}

    def _pages(self, path: str, params: dict[str, str]) -> Iterator[Document]:
        cursor: dict[str, str] = {}
        while True:
            page = self._ask("GET", path, params=params | {"limit": "1000"} | cursor).json()
            yield from page["items"]
            if page["next"] is None:
                return
            cursor = {"after": str(page["next"])}

    def _ask(self, method: str, path: str, *, also: tuple[int, ...] = (), **content: Any) -> httpx.Response:  # noqa: ANN401
        """Ask until answered, for as long as it takes to start the service again."""
        deadline = time.monotonic() + PATIENCE_S
        told = False
        while True:
            try:
                answer = self._http.request(method, path, **content)
            except httpx.TransportError as error:
                why = f"no Muster at {self.url} ({error}); start one with `make up`"
            else:
                if answer.is_success or answer.status_code in also:
                    return answer
                why = f"{method} {path}: {answer.status_code} {answer.text[:500]}"
                if not answer.is_server_error:
                    raise DemoError(why)
            if time.monotonic() > deadline:
                raise DemoError(why)
            if not told:
                print(f"{why}; waiting {PATIENCE_S:.0f} s for it", flush=True)
            told = True
            time.sleep(1.0)
