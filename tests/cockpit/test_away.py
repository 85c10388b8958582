"""With the database away: what a person typed stays, and is sent again once it is back."""

import re
from collections.abc import AsyncIterator
from html import unescape

import pytest

from service.settings import Settings
from tests.cockpit.person import CSRF_FIELD, FETCH, Person
from tests.faults.proxy import Line
from tests.replica import eventually

FORMS = {
    "/campaigns/nightly/edit": {
        "here": "/campaigns/nightly?edit=1&still=1",
        "version": "1",
        "title": "<b>New</b>",
        "brief": "a\nb",
    },
    "/engine/pool": {"here": "/", "pool_size": "many"},
    "/engine/pause": {"reason": "a storm is coming"},
}
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


@pytest.fixture
async def line(dsn: str) -> AsyncIterator[Line]:
    """The line between the service and its database."""
    async with Line(dsn) as line:
        yield line


@pytest.fixture
def settings(line: Line) -> Settings:
    """The settings of a service at the end of that line."""
    return Settings(dsn=line.dsn)


async def test_what_was_typed_is_not_lost_with_the_database_and_is_sent_again_by_one_press(person: Person, line: Line) -> None:
    """Promise 5: 503 with `Retry-After`; our script is given nothing that would replace its page."""
    await person.campaign()
    secret = await person.secret()
    line.away = True
    line.cut()
    again = {}
    for path, form in FORMS.items():
        sent = {CSRF_FIELD: secret, "back": "/", **form}
        plain = await person.http.post(path, data=sent)
        assert (plain.status_code, plain.headers["retry-after"]) == (503, "1")
        assert "the database is away" in plain.text
        assert f'action="{path}"' in plain.text
        again[path] = {name: unescape(value) for name, value in HIDDEN.findall(plain.text)}
        assert again[path] == sent
        shown = unescape(plain.text.partition("What you typed")[2].partition("</dl>")[0])
        assert all(value in shown for name, value in form.items() if name not in ("here", "version"))
        fetched = await person.http.post(path, data=sent, headers=FETCH)
        assert (fetched.status_code, fetched.headers["retry-after"]) == (503, "1")
        assert "the database is away" in fetched.text
        assert 'id="live"' not in fetched.text
    line.away = False
    statuses = [(await person.http.post(path, data=form)).status_code for path, form in again.items()]
    assert statuses == [303, 400, 303]

    async def changed() -> bool:
        view = await person.view("nightly")
        return (view["title"], view["brief"]) == ("<b>New</b>", "a\nb")

    await eventually(changed)
    assert (await person.http.get("/v1/engine")).json()["paused"]["reason"] == "a storm is coming"
