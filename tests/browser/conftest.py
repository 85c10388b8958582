"""Debian's browser before a service with a scene on it: one of each for all tests."""

import os
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from ops.cockpit.camera import browser as start_browser
from ops.cockpit.scene import play
from projections.cockpit.html import REFRESH_S
from tests.patience import PATIENCE_S
from tests.postgres import Server
from tests.service import Program, free_port

expect.set_options(timeout=(REFRESH_S - 3) * 1000)
"""A page would look by itself a little later: what is seen before, the stream has told."""


class Stage:
    """A service that can be killed and comes back at the same address."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.program = self.start()

    def start(self) -> Program:
        """Start the service, and wait until it is ready."""
        program = Program("serve", "--dsn", self.dsn, "--port", str(self.port))
        program.url()
        return program

    def kill(self) -> None:
        """End it as a fault would."""
        os.killpg(self.program.process.pid, signal.SIGKILL)
        self.program.process.communicate()

    def again(self) -> None:
        """Let it come back."""
        self.program = self.start()


@pytest.fixture(scope="module")
def stage(postgres: Server, migrated: str) -> Iterator[Stage]:
    """A service on a database with the scene."""
    name = postgres.create(migrated)
    stage = Stage(postgres.dsn(name))
    play(stage.url)
    yield stage
    stage.program.stop(signal.SIGINT)
    postgres.drop(name)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless browser."""
    with start_browser() as started:
        yield started


class Sight:
    """A page in a window of one width, with a script or without; it remembers what went wrong in it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.errors: list[str] = []
        page.set_default_timeout(PATIENCE_S * 1000)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        page.on("dialog", lambda dialog: self.errors.append(f"dialog {dialog.message}"))

    def go(self, path: str) -> Page:
        """Go to a page of the cockpit."""
        answer = self.page.goto(self.url + path)
        assert answer is not None
        assert answer.status == 200, path
        return self.page


@pytest.fixture(params=[(320, True), (1280, True), (320, False), (1280, False)], ids=["320", "1280", "320-plain", "1280-plain"])
def sight(request: pytest.FixtureRequest, browser: Browser, stage: Stage) -> Iterator[Sight]:
    """A window of each width, with a script and without."""
    width, scripted = request.param
    context = browser.new_context(viewport={"width": width, "height": 800}, java_script_enabled=scripted)
    yield Sight(context.new_page(), stage.url)
    context.close()


@pytest.fixture
def live(browser: Browser, stage: Stage) -> Iterator[Sight]:
    """A wide window with a script."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, timezone_id="Europe/Berlin")
    yield Sight(context.new_page(), stage.url)
    context.close()
