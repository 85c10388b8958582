"""Units with many dependents: what becomes of them is carried on in rounds, and counted once."""

from collections import Counter
from collections.abc import Sequence

import pytest

from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from tests.domain.replay import Narrow
from tests.domain.scenario import NIGHT, Scenario, Step, adding, campaign, claim, claimed, editing, fact, order, spec, success

CHILDREN = [f"c{n}" for n in range(5)]
WIDE = adding("a", *(spec(key, "a") for key in CHILDREN))
TAIL = adding(*(spec(f"{key}.{n}", key) for key in CHILDREN for n in range(3)))


def given(*steps: Step) -> Scenario:
    """Begin a story in which more than two dependents are many."""
    story = Scenario()
    story.state = Narrow()
    return story.given(*steps)


def carry(*keys: str) -> c.FanOutUnits:
    """Return the watcher's order of the next round."""
    return c.FanOutUnits(units=tuple((NIGHT, ids.UnitKey(key)) for key in keys or ("a",)))


def carry_all(story: Scenario) -> int:
    """Order rounds until everybody knows; return how many there were."""
    rounds = 0
    while story.state.fanouts:
        story.when(c.FanOutUnits(units=tuple(story.state.fanouts))).agrees()
        rounds += 1
    assert story.campaign().open_fanouts == 0
    return rounds


def counted(story: Scenario) -> Counter[str]:
    """Return how many units are in each state."""
    return Counter(story.states().values())


def test_dependents_of_a_completed_unit_are_freed_round_by_round() -> None:
    """B-DAG-4, B-UNIT-5: each once, in the order of their keys."""
    story = given(campaign(), WIDE, claimed("a", "t")).when(success("t"))
    story.then(fact(e.UnitCompleted, in_rounds=True))
    story.when(carry()).then(
        fact(e.UnitFanout, unit="a", dependents=("c0", "c1"), after="c1"),
        fact(e.UnitUnblocked, unit="c0", by="a"),
        fact(e.UnitUnblocked, unit="c1", by="a"),
    )
    assert [story.unit(key).waits_for for key in CHILDREN] == [0, 0, 1, 1, 1]
    assert carry_all(story) == 2
    assert story.when(claim(most=4)).grants == CHILDREN[:4]
    story.when(carry()).then()


def test_a_round_that_was_loaded_for_an_earlier_place_changes_nothing() -> None:
    """A9: two watchers that order the same round carry it out once."""
    story = given(campaign(), WIDE, claimed("a", "t"), success("t")).when(
        c.FanOutUnits(units=((NIGHT, ids.UnitKey("a")), (NIGHT, ids.UnitKey("a"))))
    )
    assert [event.body.kind for event in story.outcome.events].count("unit.fanout") == 1


def test_dependents_of_a_quarantined_unit_are_skipped_in_rounds_with_all_that_depends_on_them() -> None:
    """B-DAG-2, B-UNIT-5: the campaign ends when everybody knows, and no sooner."""
    story = given(campaign(), WIDE, TAIL).when(order(c.QuarantineUnit))
    story.then(fact(e.UnitQuarantined, in_rounds=True))
    story.when(carry()).then(
        fact(e.UnitFanout, dependents=("c0", "c1"), after="c1"),
        fact(e.UnitSkipped, unit="c0", because_of="a", path=("a", "c0"), in_rounds=True),
        fact(e.UnitSkipped, unit="c1", because_of="a", path=("a", "c1"), in_rounds=True),
    )
    assert story.campaign().completed_at is None
    carry_all(story)
    assert counted(story) == {"quarantined": 1, "skipped": 20}
    assert (story.campaign().outcome, story.unit("c3.1").because_of) == ("failed", "a")
    skipped = [event.unit for event in story.log if isinstance(event.body, e.UnitSkipped)]
    assert len(set(skipped)) == len(skipped) == 20
    assert all(event.body.path[0] == "a" for event in story.log if isinstance(event.body, e.UnitSkipped))
    assert isinstance(story.log[-1].body, e.CampaignCompleted)


def test_a_retry_brings_many_back_in_rounds_and_a_quick_success_frees_them_all() -> None:
    """B-DAG-3: the success overtakes the news of the retry."""
    story = given(campaign(concurrency=99), WIDE, TAIL, order(c.QuarantineUnit))
    carry_all(story)
    story.given(order(c.RetryUnit)).when(carry()).then(
        fact(e.UnitFanout, dependents=("c0", "c1")), fact(e.UnitUnskipped, unit="c0"), fact(e.UnitUnskipped, unit="c1")
    )
    story.given(claimed("a", "t"), success("t"))
    assert story.campaign().completed_at is None
    carry_all(story)
    assert counted(story) == {"done": 1, "ready": 5, "blocked": 15}
    assert story.when(claim(most=9)).grants == CHILDREN


def test_a_campaign_does_not_end_while_many_have_yet_to_learn_that_they_may_come_back() -> None:
    """B-CAMP-1, B-DAG-3: nothing else is open, and five units are."""
    story = given(campaign(concurrency=9), WIDE, order(c.QuarantineUnit))
    carry_all(story)
    assert story.campaign().outcome == "failed"
    story.given(order(c.RetryUnit), claimed("a", "t")).when(success("t")).then(fact(e.UnitCompleted, in_rounds=True))
    carry_all(story)
    assert counted(story) == {"done": 1, "ready": 5}
    assert story.campaign().completed_at is None


def test_a_retry_overtakes_the_news_of_the_quarantine() -> None:
    """B-DAG-2, B-DAG-3: whom that had not reached is left in peace."""
    story = given(campaign(), WIDE, order(c.QuarantineUnit), carry(), order(c.RetryUnit))
    carry_all(story)
    assert counted(story) == {"ready": 1, "blocked": 5}
    assert Counter(type(event.body) for event in story.log)[e.UnitSkipped] == 2
    assert all(story.unit(key).waits_for == 1 for key in CHILDREN)


def test_a_unit_imported_while_a_fanout_goes_on_knows_at_once() -> None:
    """B-DAG-1: it waits for nothing that has ended, and is counted once."""
    story = given(campaign(), WIDE, claimed("a", "t"), success("t"), adding(spec("c05", "a"), spec("z", "a")))
    assert (story.unit("c05").state, story.unit("z").waits_for) == ("ready", 0)
    carry_all(story)
    assert counted(story) == {"done": 1, "ready": 7}
    assert story.unit("z").waits_for == 0


def test_a_unit_imported_below_one_that_is_lost_is_skipped_at_once() -> None:
    """B-DAG-2."""
    story = given(campaign(), WIDE, order(c.QuarantineUnit), adding(spec("c05", "a")))
    assert story.unit("c05").state == "skipped"
    carry_all(story)
    assert counted(story) == {"quarantined": 1, "skipped": 6}


@pytest.mark.parametrize("between", [(), (carry(),), (carry(), carry(), carry())])
def test_freed_dependents_are_not_blocked_again(between: Sequence[c.Command]) -> None:
    """B-DAG-2: `on_dependency_failure: run`, and the one they did not wait for is retried and done."""
    story = given(campaign(on_dependency_failure="run", concurrency=9), WIDE, order(c.QuarantineUnit), *between)
    story.given(order(c.RetryUnit))
    carry_all(story)
    story.given(claimed("a", "t"), success("t"))
    assert counted(story) == {"done": 1, "ready": 5}
    assert all(story.unit(key).waits_for == 0 for key in CHILDREN)


def test_a_change_of_policy_in_mid_fanout_leaves_nobody_waiting_for_ever() -> None:
    """B-CAMP-3, B-UNIT-5."""
    story = given(campaign(), WIDE, order(c.QuarantineUnit), carry())
    story.given(editing(policy={"on_dependency_failure": "run"}), order(c.CancelUnit))
    carry_all(story)
    assert counted(story) == {"cancelled": 1, "ready": 5}


def test_a_cancelled_campaign_carries_nothing_on() -> None:
    """B-CAMP-4."""
    story = given(campaign(), WIDE, order(c.QuarantineUnit), carry(), c.CancelCampaign(name=NIGHT))
    story.when(carry()).then(fact(e.UnitFanout, dependents=(), after=None))
    assert counted(story) == {"skipped": 2, "cancelled": 4}


def test_many_skipped_for_a_unit_that_is_back_name_the_other_cause() -> None:
    """B-DAG-3: in rounds too, and all that depends on them."""
    both = [spec(key, "a", "b") for key in CHILDREN]
    story = given(campaign(), adding("a", "b", *both), TAIL, order(c.QuarantineUnit))
    carry_all(story)
    story.given(order(c.QuarantineUnit, "b"))
    carry_all(story)
    story.given(order(c.RetryUnit))
    carry_all(story)
    assert {story.unit(key).because_of for key in story.states() if key.startswith("c")} == {"b"}
    assert counted(story) == {"ready": 1, "quarantined": 1, "skipped": 20}
    story.given(order(c.RetryUnit, "b"))
    carry_all(story)
    assert counted(story) == {"ready": 2, "blocked": 20}


def test_the_path_to_a_skipped_unit_is_truncated() -> None:
    """B-DAG-2: a chain of hundreds does not tell all of itself in each of its events."""
    keys = [f"k{n:03}" for n in range(300)]
    chain = [spec(key, *keys[:n][-1:]) for n, key in enumerate(keys)]
    story = given(campaign(), adding(*chain), order(c.QuarantineUnit, "k000"))
    last = [event.body for event in story.log if isinstance(event.body, e.UnitSkipped)][-1]
    assert (len(last.path), last.path[0], last.path[1], last.path[-1]) == (100, "k000", "k201", "k299")
