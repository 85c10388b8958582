"""A real service, and commands of `muster` that run against it."""

from collections.abc import Callable, Iterator
from itertools import count

import httpx
import pytest
from click.testing import CliRunner, Result

from service.cli import main
from tests.patience import PATIENCE_S
from tests.postgres import Server
from tests.service import Program, free_port

QUICK = {"MUSTER_TICK_S": "1", "MUSTER_SETTLE_S": "0", "MUSTER_DRAIN_TIMEOUT_S": "1"}
RunMuster = Callable[..., Result]


@pytest.fixture(scope="session")
def url(postgres: Server, migrated: str) -> Iterator[str]:
    """The address of a service on a database of its own."""
    name = postgres.create(migrated)
    with Program("serve", "--dsn", postgres.dsn(name), "--port", str(free_port()), **QUICK) as program:
        yield program.url()
    postgres.drop(name)


@pytest.fixture
def muster(url: str) -> RunMuster:
    """A function that runs a command of `muster` against that service."""

    def run(*words: str, input: str | None = None) -> Result:  # noqa: A002 - as click calls it
        return CliRunner().invoke(main, words, env={"MUSTER_URL": url}, input=input)

    return run


@pytest.fixture
def http(url: str) -> Iterator[httpx.Client]:
    """The API of that service."""
    with httpx.Client(base_url=url, timeout=PATIENCE_S, trust_env=False, verify=False) as client:
        yield client


NUMBERS = count(1)


@pytest.fixture
def name() -> str:
    """A name for a campaign that no other test uses."""
    return f"night-{next(NUMBERS)}"


class FakeWorker:
    """A worker whose claims and reports a test makes."""

    def __init__(self, http: httpx.Client, name: str) -> None:
        self.http = http
        self.name = name

    def claim(self, campaign: str, wait_s: float = 0) -> str:
        """Take one unit and return its token."""
        request = {"worker": self.name, "campaigns": [campaign], "wait_s": wait_s}
        answer = self.http.post("/v1/claims", json=request).json()
        self.wait_for_views(answer["position"])
        token: str = answer["claims"][0]["token"]
        return token

    def report(self, **report: object) -> None:
        """Send one report, and wait until the views show it."""
        answer = self.http.post("/v1/reports", json={"worker": self.name, "reports": [report]}).json()
        assert answer["results"][0]["ok"], answer
        self.wait_for_views(answer["position"])

    def wait_for_views(self, position: int) -> None:
        """Wait until the views have reached *position*."""
        assert self.http.get("/v1/engine", params={"at_least": position}).is_success

    def fail(self, campaign: str, error: str = "exit 1") -> None:
        """Take one unit and fail."""
        token = self.claim(campaign)
        self.report(type="failed", token=token, reason="crash", error=error, screen="line one\n\x1b[31mred line")


@pytest.fixture
def fake_worker(http: httpx.Client, name: str) -> FakeWorker:
    """A worker with a name of its own."""
    return FakeWorker(http, f"worker-of-{name}")


@pytest.fixture
def create_campaign(http: httpx.Client, name: str) -> Callable[..., str]:
    """A function that creates a campaign with units by their keys, and returns its name."""

    def create(*keys: str, **members: object) -> str:
        body = {"name": name, "units": [{"key": key} for key in keys], **members}
        assert http.post("/v1/campaigns", json=body).status_code == 201
        return name

    return create
