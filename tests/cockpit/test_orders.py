"""What a person orders by forms: without a script a redirect and a word, with one the page as it is now."""

import re
import time

import pytest

from projections.cockpit.actions import ACTIONS
from tests.cockpit.person import CSRF_FIELD, FETCH, Person

RESET = "/campaigns/nightly/breaker/reset"
COOKIES = ("", "muster-session=\xe4\xf6\xfc", "muster-session=x", 'muster-session="', "=;=;", "a" * 5000, "muster-flash=%%%")
FOREIGN_COOKIES = ('seen={"tour":true}', "name=two words", "a", "x@y=1", 'open="quote', "path=/grafana", "\xe4=1")
"""Of other services on the same host: a browser sends cookies to every port of it."""
ELSEWHERE = ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/?a=%00", "")
UNFIT = {
    "{no": "payload must be JSON",
    "[" * 65 + "]" * 65: "payload is nested more than 64 levels deep",
    "[" * 200_000: "payload is nested more than 64 levels deep",
    '{"a": "\\u0000"}': "payload.a: must not hold a NUL",
    '["\\ud800"]': "payload must be JSON",
    f"[{'9' * 40}]": "payload[0]: is out of range",
    f'"{"x" * 262_143}"': "payload is 262145 bytes; at most 262144 are allowed",
}
STEPS = (("park", "parked"), ("unpark", "ready"), ("quarantine", "quarantined"), ("retry", "ready"), ("cancel", "cancelled"))


async def tripped(person: Person) -> None:
    """Let a campaign trip."""
    await person.campaign(policy={"concurrency": 4, "retry": {"backoff_ms": 60000}})
    await person.fail(3)
    assert "Auto paused · 3 fails" in await person.see("/")


async def test_a_breaker_is_reset_by_a_plain_form(person: Person) -> None:
    """B-BREAK-5: 303 back, with a word about it that is said once."""
    await tripped(person)
    answer = await person.press(RESET, back="/?q=night")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?q=night")
    text = await person.see("/?q=night")
    assert "the breaker is reset" in text
    assert "Auto paused" not in text
    assert "the breaker is reset" not in await person.see("/?q=night")
    assert not (await person.view("nightly"))["breaker"]["tripped"]


async def test_a_breaker_is_reset_by_fetch(person: Person) -> None:
    """B-BREAK-5: the fragment as it is now."""
    await tripped(person)
    answer = await person.press(RESET, fetched=True, back="/campaigns/nightly")
    assert answer.status_code == 200
    assert "the breaker is reset" in answer.text
    assert '<div id="live"' in answer.text
    assert "<html" not in answer.text
    assert "Auto paused" not in answer.text


@pytest.mark.parametrize("fetched", [False, True])
async def test_an_unknown_campaign_is_not_found(person: Person, fetched: bool) -> None:
    """B-BREAK-5."""
    answer = await person.press("/campaigns/none/breaker/reset", fetched=fetched)
    assert answer.status_code == 404


async def test_an_order_is_a_post_alone(person: Person) -> None:
    """B-BREAK-5: 405."""
    for path in ACTIONS:
        url = re.sub(r"\{\w+:str\}", "x", path)
        assert (await person.http.get(url)).status_code == 405, path


@pytest.mark.parametrize("secret", ["", "wrong", "ä" * 43, "\ud800", "A" * 43])
@pytest.mark.parametrize("fetched", [False, True])
async def test_an_order_without_the_secret_of_the_session_is_refused(person: Person, secret: str, fetched: bool) -> None:
    await person.campaign()
    body = f"{CSRF_FIELD}=".encode() + secret.encode("utf-8", "surrogatepass")
    headers = {"content-type": "application/x-www-form-urlencoded", **(FETCH if fetched else {})}
    await person.secret()
    answer = await person.http.post("/campaigns/nightly/pause", content=body, headers=headers)
    assert answer.status_code == 403, answer.text
    assert (await person.view("nightly"))["state"] == "running"


@pytest.mark.parametrize("cookie", COOKIES)
async def test_a_cookie_that_is_none_of_ours_is_refused_and_breaks_nothing(person: Person, cookie: str) -> None:
    await person.campaign()
    headers = {b"content-type": b"application/x-www-form-urlencoded", b"cookie": cookie.encode("latin-1")}
    answer = await person.http.post("/campaigns/nightly/pause", content=b"secret=x", headers=headers)
    assert answer.status_code == 403
    answer = await person.http.get("/", headers={b"cookie": cookie.encode("latin-1")})
    assert answer.status_code == 200


@pytest.mark.parametrize("cookie", FOREIGN_COOKIES)
async def test_an_order_works_beside_cookies_of_other_services(person: Person, cookie: str) -> None:
    await person.campaign()
    body = f"{CSRF_FIELD}={await person.secret()}".encode()
    own = "; ".join(f"{name}={value}" for name, value in person.http.cookies.items())
    person.http.cookies.clear()
    headers = {b"content-type": b"application/x-www-form-urlencoded", b"cookie": f"{cookie}; {own}".encode("latin-1")}
    answer = await person.http.post("/campaigns/nightly/pause", content=body, headers=headers)
    assert answer.status_code == 303, answer.text
    assert "nightly: paused, running work goes on" in await person.see(answer.headers["location"])


async def test_a_long_cookie_costs_no_time(person: Person) -> None:
    """CVE-2024-7592: 64 KB of escaped quotes took 2.6 s of the event loop, and sixteen times the length 256 times as long."""
    cookie = b'a="' + b'\\"' * 500_000 + b'"'
    started = time.process_time()
    answer = await person.http.get("/", headers={b"cookie": cookie})
    assert answer.status_code == 200
    assert time.process_time() - started < 10


async def test_another_site_presses_no_button(person: Person) -> None:
    await person.campaign()
    form = {CSRF_FIELD: await person.secret()}
    answer = await person.http.post("/campaigns/nightly/pause", data=form, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403


async def test_the_session_is_closed_to_scripts_and_other_sites(person: Person) -> None:
    answer = await person.http.get("/")
    cookie = answer.headers["set-cookie"].lower()
    for word in ("muster-session=", "httponly", "samesite=strict", "path=/"):
        assert word in cookie
    assert "set-cookie" not in (await person.http.get("/")).headers


@pytest.mark.parametrize("back", ELSEWHERE)
async def test_an_order_leads_to_no_other_place(person: Person, back: str) -> None:
    await person.campaign()
    answer = await person.press("/campaigns/nightly/pause", back=back)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


async def test_what_cannot_be_done_is_said(person: Person) -> None:
    await person.campaign()
    text = await person.order("/campaigns/nightly/units/unit%2F0/retry", back="/campaigns/nightly")
    assert "Refused" in text
    answer = await person.press("/campaigns/nightly/units/unit%2F0/retry", fetched=True, back="/campaigns/nightly")
    assert answer.status_code == 409
    assert "Refused" in answer.text


async def test_the_switches_of_a_campaign(person: Person) -> None:
    """B-CAMP-2, B-CAMP-4."""
    await person.campaign()
    text = await person.order("/campaigns/nightly/pause", back="/", reason="lunch")
    assert "paused, running work goes on" in text
    assert "lunch" in text
    await person.order("/campaigns/nightly/resume")
    assert (await person.view("nightly"))["state"] == "running"
    await person.order("/campaigns/nightly/cancel", reason="enough")
    assert (await person.view("nightly"))["state"] == "cancelled"


async def test_failed_units_are_counted_first_and_then_retried(person: Person) -> None:
    """B-RETRY-7: the count changes nothing."""
    await person.campaign(policy={"max_attempts": 1, "concurrency": 4})
    await person.fail(2, error="exit 7: /tmp/x/y is gone")
    await person.fail(1, error="other")
    text = await person.see("/campaigns/nightly?retry=1")
    assert "3</strong> quarantined units match" in text
    kind = await person.see("/campaigns/nightly?retry=1&reason=max_attempts&error=exit+*%3A+*+is+gone")
    assert "2</strong> quarantined units match" in kind
    assert (await person.view("nightly"))["units"]["quarantined"] == 3
    fields = {"match_reason": "max_attempts", "error_glob": "exit *: * is gone", "reload_brief": "be careful"}
    assert "2 units are back at work" in await person.order("/campaigns/nightly/retry-failed", back="/", **fields)
    view = await person.view("nightly")
    assert (view["units"]["quarantined"], view["brief"]) == (1, "be careful")


async def test_an_edit_changes_what_was_changed_and_not_over_anothers(person: Person) -> None:
    """B-CAMP-3."""
    await person.campaign(labels={"team": "core"}, policy={"investigate": True})
    page = await person.see("/campaigns/nightly?edit=1")
    for words in ("policy.retry.jitter.ratio", "100 000", "Executions of one unit in total."):
        assert words in page
    form = {
        "version": "1",
        "title": "New",
        "labels": "team=docs\nurgent=yes",
        "policy.concurrency": "9",
        "policy.max_attempts": "2",
    }
    await person.order("/campaigns/nightly/edit", **form)
    view = await person.view("nightly")
    assert (view["title"], view["labels"]) == ("New", {"team": "docs", "urgent": "yes"})
    assert (view["policy"]["concurrency"], view["policy"]["max_attempts"], view["policy"]["investigate"]) == (9, 2, True)
    assert "Refused" in await person.order("/campaigns/nightly/edit", **form)
    assert "Refused" in await person.order("/campaigns/nightly/edit", version="2", **{"policy.concurrency": "0"})
    assert "Refused" in await person.order("/campaigns/nightly/edit", version="2", **{"policy.concurrency": "many"})
    await person.order("/campaigns/nightly/edit", version="2", switches="1")
    view = await person.view("nightly")
    assert (view["auto"], view["policy"]["investigate"]) == (False, False)


async def test_the_orders_about_a_unit(person: Person) -> None:
    await person.campaign(count=2)
    unit = "/campaigns/nightly/units/unit%2F0"
    for order, state in STEPS:
        await person.order(f"{unit}/{order}", back=unit)
        assert f'<span class="badge b-{state}">' in await person.see(unit)
    await person.claim()
    stopped = "/campaigns/nightly/units/unit%2F1"
    assert "taken back" in await person.order(f"{stopped}/stop", back=stopped)


async def test_the_orders_about_workers(person: Person) -> None:
    """B-BEAT-7."""
    await person.campaign()
    await person.claim()
    assert "drains" in await person.order("/workers/w-1/drain", back="/workers/w-1")
    assert "fenced" in await person.order("/workers/w-1/fence", back="/workers")
    assert "no worker is stale or dead" in await person.order("/workers/fence-stale", back="/workers")


async def test_the_orders_about_the_engine(person: Person) -> None:
    """B-ENGINE-1."""
    assert "paused" in await person.order("/engine/pause", reason="storm")
    assert (await person.http.get("/v1/engine")).json()["paused"]["reason"] == "storm"
    await person.order("/engine/resume")
    assert "7 slots" in await person.order("/engine/pool", pool_size="7")
    assert "Refused" in await person.order("/engine/pool", pool_size="-1")
    assert "every gate is open" in await person.order("/engine/tick")


async def test_an_unknown_plan_is_not_found(person: Person) -> None:
    """B-RECOV-2."""
    assert (await person.press("/recovery/r1/apply")).status_code == 404


async def test_a_person_ends_an_investigation_with_a_fix_or_without(person: Person) -> None:
    """B-INVEST-2."""
    await person.campaign(policy={"investigate": True, "max_attempts": 1})
    await person.fail(2)
    first, second = (one["id"] for one in (await person.http.get("/v1/investigations")).json()["items"])
    assert 'name="root_cause"' not in await person.see("/investigations")
    assert 'name="root_cause"' in await person.see(f"/investigations?conclude={first}")
    end, here = f"/investigations/{first}/result", f"/investigations?conclude={first}"
    for payload, why in UNFIT.items():
        refused = await person.press(end, root_cause="a flaky clock", payload=payload, here=here)
        assert (refused.status_code, f'id="wrong"><bdi>{why}' in refused.text) == (400, True), why
        assert ">a flaky clock</textarea>" in refused.text
    assert "the fix is made" in await person.order(end, root_cause="a flaky clock", payload='{"file": "b.py"}')
    shown = await person.order(f"/investigations/{second}/result", root_cause="nothing to mend", back="/investigations")
    assert "ended without a fix" in shown
    assert "a flaky clock" in shown
    assert "nothing to mend" in shown
    assert "Refused" in await person.order(end)
    assert (await person.press("/investigations/i0/result")).status_code == 404
    found = {
        one["unit"]: (one["state"], one["fix_unit"]) for one in (await person.http.get("/v1/investigations")).json()["items"]
    }
    assert sorted(found.values(), key=str) == [("empty", None), ("produced", f"{min(found)}.fix")]


async def test_a_bundle_is_taken_as_a_file(person: Person) -> None:
    """B-DIAG-1."""
    await person.campaign()
    answer = await person.press("/campaigns/nightly/diagnostics")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith('attachment; filename="muster-nightly-')
    assert answer.json()["schema_version"] == 2
    assert (await person.press("/campaigns/nightly/diagnostics")).status_code == 409
    assert (await person.http.post("/campaigns/nightly/diagnostics", data={CSRF_FIELD: "no"})).status_code == 403


async def test_a_form_of_another_kind_is_refused(person: Person) -> None:
    await person.campaign()
    secret = await person.secret()
    assert "Refused" in (await person.http.post("/engine/pause", json={CSRF_FIELD: secret}, follow_redirects=True)).text
    large = {CSRF_FIELD: secret, "reason": "x" * 2_000_000}
    assert (await person.http.post("/engine/pause", data=large)).status_code == 413
