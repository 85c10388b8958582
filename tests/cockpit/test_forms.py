"""What was typed is not lost when it is refused: it comes back with the problem beside its field."""

import re

import pytest

from tests.cockpit.person import Person

EDIT = "/campaigns/nightly?edit=1&still=1"


def field(text: str, name: str) -> str:
    """Return what a page shows of one field, with its problem."""
    found = re.search(rf'<label>(?:(?!</label>).)*name="{re.escape(name)}"(?:(?!</label>).)*</label>', text, re.DOTALL)
    assert found is not None, name
    return found[0]


@pytest.mark.parametrize("fetched", [False, True])
@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("policy.concurrency", "0", 422),
        ("policy.concurrency", "many", 400),
        ("policy.retry.backoff_ms", "-5", 422),
        ("policy.on_dead", "shrug", 422),
        ("labels", "no sign", 400),
        ("deadline", "tomorrow", 400),
    ],
)
async def test_a_refused_edit_comes_back_as_it_was_typed(
    person: Person, *, name: str, value: str, status: int, fetched: bool
) -> None:
    await person.campaign()
    form = {
        "here": EDIT,
        "back": "/campaigns/nightly",
        "version": "1",
        "switches": "1",
        "title": "A <b>new</b> title",
        name: value,
    }
    answer = await person.press("/campaigns/nightly/edit", fetched=fetched, **form)
    assert answer.status_code == status
    assert 'value="A &lt;b&gt;new&lt;/b&gt; title"' in answer.text
    wrong = field(answer.text, name)
    assert value in wrong or name == "policy.on_dead"
    assert 'aria-invalid="true"' in wrong
    assert 'class="wrong"' in wrong
    assert answer.text.count('class="wrong"') == 1
    assert 'name="auto" value="1">' in answer.text, "what was unticked stays so"
    assert ("<html" in answer.text) != fetched
    assert 'http-equiv="refresh"' not in answer.text
    assert (await person.view("nightly"))["title"] == "nightly"


async def test_an_edit_over_anothers_keeps_what_was_typed(person: Person) -> None:
    """B-CAMP-3: the problem is said, and the next press is at the version that was shown with it."""
    await person.campaign()
    await person.order("/campaigns/nightly/edit", title="First", version="1")
    form = {"here": EDIT, "title": "Second", "brief": "Do it\nwell"}
    answer = await person.press("/campaigns/nightly/edit", version="1", fetched=False, **form)
    assert answer.status_code == 412
    assert 'name="version" value="2"' in answer.text
    assert "Do it\nwell</textarea>" in answer.text
    await person.order("/campaigns/nightly/edit", version="2", **form)
    assert (await person.view("nightly"))["title"] == "Second"


async def test_a_pool_that_cannot_be_is_asked_for_again(person: Person) -> None:
    answer = await person.press("/engine/pool", here="/", pool_size="a few")
    assert answer.status_code == 400
    assert 'value="a few" aria-invalid="true"' in answer.text
    assert re.search(r'id="pool-size"\s+open', answer.text)


async def test_the_gate_of_a_quota_is_set_on_its_page(person: Person) -> None:
    """B-QUOTA-1, B-QUOTA-2: the policy as a form, and a reading that a person gives."""
    await person.campaign(quota="anthropic/eu")
    page = "/quotas/anthropic%2Feu"
    assert f'href="{page}"' in await person.see("/")
    assert "anthropic/eu" in await person.see("/quotas")
    form = {"policy.fire": "when_available", "policy.threshold": "0.5", "policy.ramp_per_s": ""}
    shown = await person.order(f"{page}/policy", back=page, **form)
    assert "anthropic/eu: changed" in shown
    quota = (await person.http.get("/v1/quotas/anthropic%2Feu")).json()
    assert quota["policy"] == {"fire": "when_available", "threshold": 0.5, "offset_s": 900, "ramp_per_s": 50}
    assert quota["gate"] == "closed"
    shown = await person.order(f"{page}/reading", back=page, used="20 %", resets_at="2030-01-01T06:00")
    assert "the reading is taken" in shown
    quota = (await person.http.get("/v1/quotas/anthropic%2Feu")).json()
    assert (quota["gate"], quota["utilization"], quota["resets_at"]) == ("open", 0.2, "2030-01-01T06:00:00Z")
    assert "nightly" in shown


@pytest.mark.parametrize(
    ("order", "name", "value"),
    [
        ("policy", "policy.threshold", "-0.1"),
        ("policy", "policy.threshold", "1.5"),
        ("policy", "policy.offset_s", "nan"),
        ("policy", "policy.ramp_per_s", "fast"),
        ("policy", "policy.fire", "never"),
        ("reading", "used", ""),
        ("reading", "used", "-1"),
        ("reading", "used", "inf"),
    ],
)
async def test_what_no_gate_can_be_is_refused_beside_its_field(person: Person, order: str, name: str, value: str) -> None:
    await person.campaign(quota="q")
    answer = await person.press(f"/quotas/q/{order}", here="/quotas/q", fetched=False, **{name: value})
    assert answer.status_code == 400
    assert 'class="wrong"' in field(answer.text, name)
    assert (await person.http.get("/v1/quotas/q")).json()["policy"]["threshold"] == 0.9


async def test_an_unknown_quota_is_not_found(person: Person) -> None:
    assert (await person.http.get("/quotas/none")).status_code == 404
    assert (await person.press("/quotas/none/policy", here="/quotas/none")).status_code == 404
