"""What the pages show, and that they load nothing foreign."""

import asyncio
import hashlib
import re
from collections import Counter
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta

import pytest

from ops.cockpit.addresses import page_addresses
from projections.cockpit import page_cache
from projections.cockpit.context import CockpitContext
from projections.cockpit.html import ASSETS
from projections.cockpit.page import CockpitPage
from projections.cockpit.request import CockpitServices
from projections.cockpit.ticker import Ticker
from projections.cockpit.url import PageUrl
from tests.cockpit.person import FETCH, Person

DOTTED = (".", "..", "%2e", "%2e%2e")
SAMPLE = {"name": "nightly", "key": "unit/0", "worker": "w-1", "quota": "anthropic/eu"}
PAGES = tuple(page_addresses(SAMPLE).values())
HOSTILE = "<script>alert(1)</script>\u202e\u2066 \x1b]0;x\x07 & \"quoted\" 'too'"


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_is_there_and_lets_nothing_foreign_in(person: Person, path: str) -> None:
    await person.campaign(labels={"team": "core"}, quota=SAMPLE["quota"])
    await person.claim()
    answer = await person.http.get(path)
    text = answer.text
    assert answer.status_code == 200, text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert re.search(r"<(script|style)(?![^>]*src=)[^>]*>", text) is None
    assert re.search(r"\s(style|on\w+)=", text) is None
    assert re.search(r"(src|href|action)=\"(https?:)?//", text) is None
    for landmark in ("<header", "<nav", "<main", "<footer", 'lang="en"', "<h1"):
        assert landmark in text


async def test_dashboards_lead_to_what_failed_and_exemplars_to_their_event(person: Person) -> None:
    await person.campaign(policy={"max_attempts": 1})
    await person.fail()
    to = (await person.http.get("/campaigns/nightly/failures")).headers["Location"]
    assert to == "/campaigns/nightly#failures"
    assert 'id="failures"' in await person.see(to)
    (event,) = (await person.http.get("/v1/events?kind=unit.quarantined")).json()["items"]
    to = (await person.http.get(f"/events/{event['position']}")).headers["Location"]
    assert f'id="{to.partition("#")[2]}"' in await person.see(to)


async def test_a_card_says_what_a_tired_person_asks_first(person: Person) -> None:
    """B-VIEW-2, B-VIEW-3."""
    await person.campaign(title="The night", policy={"max_attempts": 1, "concurrency": 7})
    tokens = await person.claim(2)
    await person.api(f"/v1/claims/{tokens[0]}/complete")
    text = await person.see("/")
    for words in ("nightly", "The night", "<strong>1</strong> / 4", "25 %", "of 7", "1 running", "2 ready", "Pause"):
        assert words in text
    for words in ("Engine", "of 1\u202f000 slots", "No campaign names a quota", "Leader", "Lag"):
        assert words in text
    assert "#failures" not in text


async def test_the_lines_of_the_card_have_their_exact_words(person: Person) -> None:
    """B-BREAK-6, B-PARK-4."""
    await person.campaign(count=5, quota="anthropic", policy={"concurrency": 5, "retry": {"backoff_ms": 60000}})
    tokens = await person.claim(1)
    await person.fail(3)
    resume_at = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%d}T14:30:00Z"
    await person.api(f"/v1/claims/{tokens[0]}/park", {"reason": "rate_limit", "resume_at": resume_at})
    text = re.sub(r"<time[^>]*>|</time>", "", await person.see("/"))
    assert "Auto paused · 3 fails" in text
    assert "quota exhausted · auto-resume ~14:30" in text
    assert (await person.view("nightly"))["quota_line"] == "quota exhausted · auto-resume ~14:30"


async def test_a_failure_is_two_clicks_from_its_cause(person: Person) -> None:
    """B-RETRY-6, B-VIEW-4: card, campaign with the screen; or the unit."""
    await person.campaign(policy={"max_attempts": 1})
    await person.fail(1, screen="$ make\n\x1b[31mboom\x1b[0m\x1b[2J")
    assert 'href="/campaigns/nightly#failures"' in await person.see("/")
    text = await person.see("/campaigns/nightly")
    assert "exit *: boom *" in text
    assert '<span class="ink1">boom</span>' in text
    assert "\x1b" not in text
    unit = await person.see("/campaigns/nightly/units/unit%2F0")
    for words in (
        "quarantined",
        "max_attempts",
        '<span class="ink1">boom</span>',
        "attempt 1 failed, crash",
        "it failed for good",
    ):
        assert words in unit


async def test_a_unit_that_waits_says_for_what(person: Person) -> None:
    """B-VIEW-5."""
    await person.campaign(auto=False)
    assert "automatic claims are switched off" in await person.see("/campaigns/nightly/units/unit%2F0")


async def test_heartbeats_are_folded_into_the_story(person: Person) -> None:
    await person.campaign()
    (token,) = await person.claim()
    for progress in (0.1, 0.5):
        await person.api(f"/v1/claims/{token}/heartbeat", {"progress": progress, "note": "half way"})
    text = await person.see("/campaigns/nightly/units/unit%2F0")
    assert "2 heartbeats over" in text
    assert "progress 50 %, “half way”" in text
    assert "unit/0" in await person.see("/workers/w-1")
    assert "half way" in await person.see("/campaigns/nightly")


async def test_hostile_text_is_shown_and_does_nothing(person: Person) -> None:
    await person.api("/v1/campaigns", {"name": "nightly", "title": HOSTILE, "brief": HOSTILE, "policy": {"max_attempts": 1}})
    key = "<img src=x onerror=alert(1)>/../%2e"
    await person.api("/v1/campaigns/nightly/units", [{"key": key, "payload": {"t": HOSTILE}}])
    await person.fail(1, error=HOSTILE, screen=HOSTILE)
    for path in ("/", "/campaigns/nightly", "/campaigns/nightly?edit=1", "/campaigns/nightly?retry=1", "/events", "/workers/w-1"):
        text = (await person.http.get(path)).text
        assert "<script>alert" not in text, path
        assert "<img src=x" not in text, path
        if "edit" not in path:
            assert not re.search("[\x00-\x08\x1b\u202a-\u202e\u2066-\u2069]", text), path
    unit = await person.http.get("/campaigns/nightly/units/%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E%2F..%2F%252e")
    assert unit.status_code == 200, unit.text
    assert "⟨202E⟩" in unit.text


@pytest.mark.parametrize("key", [".", "..", "-", "%2e", "a/.."])
async def test_every_key_is_reached_by_its_link(person: Person, key: str) -> None:
    """Browsers take `.` and `..` out of a path, written plainly or as `%2e`."""
    await person.api("/v1/campaigns", {"name": "nightly", "units": [{"key": key}, {"key": "other"}]})
    listed = await person.see("/campaigns/nightly")
    links = [link for link in re.findall(r'href="(/campaigns/nightly/units/[^"]+)"', listed) if not link.endswith("/other")]
    assert links
    assert all(part.lower() not in DOTTED for link in links for part in link.partition("?")[0].split("/"))
    text = await person.see(links[0])
    assert f"<h1><bdi>{key}</bdi></h1>" in text
    action = re.search(r'action="([^"]+/park[^"]*)"', text)
    assert action is not None
    back = await person.order(action[1], back=links[0])
    assert "parked for an hour" in back
    assert f"<h1><bdi>{key}</bdi></h1>" in back
    sent = links[0].replace("/campaigns", "/v1/campaigns", 1)
    assert (await person.http.get(sent)).json()["key"] == key
    path, query, field = sent.partition("?")
    await person.api(f"{path}/unpark{query}{field}")
    assert (await person.http.get(f"{path}/explain{query}{field}")).json()["state"] == "ready"


async def test_a_search_of_units_is_paged_and_keeps_its_words(person: Person) -> None:
    await person.campaign(count=50)
    text = await person.see("/campaigns/nightly?q=unit/4")
    assert "unit/49" in text
    assert "unit/39" not in text
    first = await person.see("/campaigns/nightly")
    following = re.search(r'href="([^"]*after=[^"]*)"', first)
    assert following is not None
    assert "unit/27" not in first
    assert "unit/27" in await person.see(following[1])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/campaigns/none", 404),
        ("/campaigns/UPPER", 400),
        ("/campaigns/nightly/units/none", 404),
        ("/workers/none", 404),
        ("/?q=%00", 400),
        ("/?after=%ff%fe", 200),
        ("/events?before=99999999999999999999&kind=none", 200),
    ],
)
async def test_what_is_not_there_is_said_on_a_page(person: Person, path: str, status: int) -> None:
    await person.campaign()
    answer = await person.http.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")


async def test_waves_are_drawn_when_units_depend_on_others(person: Person) -> None:
    """B-DAG-4, B-VIEW-4: the diamond."""
    await person.campaign(count=0)
    units = [
        {"key": "A"},
        {"key": "B", "depends_on": ["A"]},
        {"key": "C", "depends_on": ["A"]},
        {"key": "D", "depends_on": ["B", "C"]},
    ]
    await person.api("/v1/campaigns/nightly/units", units)
    text = await person.see("/campaigns/nightly")
    assert [re.search(rf"Wave {wave}</strong> <span class=\"of\">0 of (\d)", text)[1] for wave in (1, 2, 3)] == ["1", "2", "1"]  # type: ignore[index]


async def test_a_worker_that_takes_nothing_while_work_waits_is_shown(person: Person) -> None:
    """B-BEAT-6."""
    await person.campaign()
    await person.api("/v1/reports", {"worker": "w-1", "reports": [{"type": "worker", "capacity": 1}]})
    told = (await person.http.get("/v1/workers/w-1")).json()
    assert ("takes nothing while work waits" in await person.see("/workers/w-1")) == told["idle_while_work_waits"]


async def test_the_report_says_where_the_time_went(person: Person) -> None:
    """Every unit-second stands under one cause; the page and the API say the same."""
    await person.campaign(auto=False)
    view = (await person.http.get("/v1/campaigns/nightly/ledger")).json()
    assert view["lifetime_us"] == sum(one["us"] for one in view["causes"]) > 0
    assert view["causes"][0]["cause"] == "paused"
    text = await person.see("/campaigns/nightly/report")
    for words in ("Where the time went", "Paused", "100.0 %", "resume when it is over"):
        assert words in text
    window = {"from": view["from"], "to": view["from"]}
    assert (await person.http.get("/v1/campaigns/nightly/ledger", params=window)).json()["lifetime_us"] == 0
    ahead = {"to": (datetime.now(UTC) + timedelta(days=1)).isoformat()}
    view = (await person.http.get("/v1/campaigns/nightly/ledger", params=ahead)).json()
    assert view["to"] < ahead["to"], "what lies ahead was not spent"
    assert view["lifetime_us"] < 4 * 3600 * 1_000_000
    text = await person.see("/campaigns/nightly/report?from=2020-01-01T00:00&to=2020-01-02T00:00")
    assert "No unit was open in this time" in text
    assert (await person.http.get("/v1/campaigns/nightly/ledger?from=yesterday")).status_code == 400
    assert (await person.http.get("/v1/campaigns/none/ledger")).status_code == 404


async def test_our_script_gets_what_of_the_page_changes(person: Person) -> None:
    answer = await person.http.get("/", headers=FETCH)
    assert '<div id="live"' in answer.text
    assert "<html" not in answer.text
    assert "no-store" in answer.headers["cache-control"]


async def test_a_page_is_rendered_once_per_change_and_not_once_per_viewer(
    person: Person, cockpit: CockpitServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two hundred viewers cost one query per change."""
    await person.campaign()
    calls: Counter[str] = Counter()
    read, render = Ticker._read_position, page_cache.page_of

    def read_counted(ticker: Ticker) -> Awaitable[int]:
        calls["reads"] += 1
        return read(ticker)

    def render_counted(context: CockpitContext, url: PageUrl) -> Awaitable[CockpitPage]:
        calls["renderings"] += 1
        return render(context, url)

    ticker = cockpit.context.ticker
    watching = [ticker.ticks() for _ in range(200)]
    await asyncio.gather(*(anext(ticks) for ticks in watching))
    assert ticker.watchers == 200
    monkeypatch.setattr(Ticker, "_read_position", read_counted)
    monkeypatch.setattr(page_cache, "page_of", render_counted)
    moves = [asyncio.create_task(anext(ticks)) for ticks in watching]
    await person.api("/v1/campaigns/nightly/pause", {"reason": "seen by all"})
    assert None not in await asyncio.gather(*moves)
    pages = await asyncio.gather(*(person.http.get("/", headers=FETCH) for _ in watching))
    assert all("seen by all" in page.text for page in pages)
    assert 1 <= calls["renderings"] <= 3
    assert 1 <= calls["reads"] <= 10
    for ticks in watching:
        await ticks.aclose()
    assert not ticker.is_running


async def test_no_page_is_larger_than_it_may_be(person: Person) -> None:
    """At most 100 KB: 24 cards, 20 units, 8 kinds of failures with their screens."""
    for number in range(30):
        await person.campaign(f"campaign-{number:02}", 1, title="x" * 200, labels={"team": "y" * 100})
    policy = {"max_attempts": 1, "breaker": {"threshold": 1000}, "concurrency": 60}
    await person.campaign(count=60, policy=policy, quota=SAMPLE["quota"])
    claims = (await person.api("/v1/claims", {"worker": "w-1", "max": 60, "campaigns": ["nightly"]}))["claims"]
    said = {"type": "failed", "reason": "crash", "screen": "\x1b[31mz\x1b[0m" * 9000}
    reports = [{**said, "token": one["token"], "error": chr(65 + n % 26) * 900} for n, one in enumerate(claims[:40])]
    await person.api("/v1/reports", {"worker": "w-1", "reports": reports})
    for path in (*PAGES, "/campaigns/nightly?edit=1"):
        text = re.sub(r'<svg class="plot".*?</svg>', "", (await person.http.get(path)).text, flags=re.DOTALL)
        assert len(text.encode()) <= 100_000, path


async def test_versioned_assets_are_cached_immutably(person: Person) -> None:
    text = await person.see("/")
    for name in ("cockpit.css", "cockpit.js", "idiomorph-0.8.0.min.js", "muster.svg"):
        found = re.search(rf'"(/static/{name}\?v=\w+)"', text)
        assert found is not None
        answer = await person.http.get(found[1])
        assert "immutable" in answer.headers["cache-control"]
    assert (await person.http.get("/static/..%2Fhtml.py")).status_code == 404


def test_vendored_idiomorph_matches_its_pinned_sha256() -> None:
    """See ops/adr/0002-cockpit-script.md."""
    digest = hashlib.sha256(ASSETS["idiomorph-0.8.0.min.js"].body).hexdigest()
    assert digest == "4cbd535caf7663a51eda9bce6595371c384fc430d54b8d414e29a61167f19f96"
    assert "idiomorph-LICENSE.txt" in ASSETS
