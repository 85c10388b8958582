"""Imports: what is cut into chunks, what an upsert changes and what it refuses."""

import pytest

from service.domain import commands as c
from service.domain import events as e
from service.domain.rejections import Unprocessable
from tests.domain.scenario import (
    NIGHT,
    adding,
    campaign,
    claimed,
    fact,
    failure,
    given,
    order,
    spec,
)


def test_a_large_import_is_cut_into_chunks_that_name_nothing_later() -> None:
    """B-DAG-1: parents in other chunks, given in any order."""
    count = 2500
    chain = [spec(f"u{n}", *([f"u{n + 1}"] if n + 1 < count and n % 10 else [])) for n in range(count)]
    story = given(campaign()).when(adding(*chain))
    story.then(*[fact(e.UnitsAdded)] * 3).replies(c.ImportReply(added=count, updated=0, unchanged=0))
    seen: set[str] = set()
    for event in story.outcome.events:
        assert isinstance(event.body, e.UnitsAdded)
        assert len(event.body.units) <= 1000
        seen |= {unit.key for unit in event.body.units}
        assert all(parent in seen for unit in event.body.units for parent in unit.depends_on)
    assert all(unit.waits_for == (unit.state == "blocked") for unit in story.state.units.values())


def test_an_import_changes_only_what_nobody_has_ever_started() -> None:
    """B-UNIT-3: an upsert by key."""
    story = given(campaign(), adding("fresh", "ran", "parked", "same"), order(c.ParkUnit, "parked"), claimed("ran", "t1"))
    story.given(failure("t1", retryable=False), order(c.RetryUnit, "ran"))
    again = [spec(key, group=5, payload=b"7") for key in ("fresh", "ran", "parked")]
    story.when(adding(*again, spec("same", payload=b" null"), "new"))
    story.then(fact(e.UnitsAdded), fact(e.UnitsUpdated)).replies(c.ImportReply(added=1, updated=2, unchanged=2))
    assert [(unit.key, unit.group, bytes(unit.payload)) for unit in story.state.units.values()] == [
        ("fresh", 5, b"7"),
        ("ran", 99, b"null"),
        ("parked", 5, b"7"),
        ("same", 99, b"null"),
        ("new", 99, b"null"),
    ]
    groups = story.state.groups[NIGHT]
    assert (groups[5].ready, groups[5].held, groups[99].ready, groups[99].held) == (1, 1, 3, 0)


@pytest.mark.parametrize(
    ("again", "said"),
    [
        ([spec("a", "d")], {"path": ["a", "d", "b", "a"]}),
        ([spec("a", "new"), spec("new", "a")], {"path": ["a", "new", "a"]}),
        ([spec("b", "a", "c")], {"field": "units[0].depends_on", "current": "c", "allowed": ["a"]}),
    ],
)
def test_an_import_gives_no_new_dependency_to_a_unit_that_is_there(again: list[c.UnitSpec], said: dict[str, object]) -> None:
    """B-DAG-1: not even where it would close no circle; what was said before may be said again, or left out."""
    story = given(campaign(), adding("a", "c", spec("b", "a"), spec("d", "b")))
    story.when(adding(*again)).refused(Unprocessable, **said).recorded()
    story.when(adding(spec("b", "a", payload=b"7"), spec("d", payload=b"7"))).then(fact(e.UnitsUpdated))
    story = given(campaign(), adding("a", "b"), claimed("a", "t1"))
    story.when(adding(spec("a", "b"))).then().replies(c.ImportReply(added=0, updated=0, unchanged=1))
