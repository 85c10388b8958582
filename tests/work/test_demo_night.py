"""The report of the demo night names every event in plain words, and every unit with the wrong end."""

from collections import Counter
from pathlib import Path

import pytest

from ops.demo.night import scenario, unit_command
from ops.demo.night.narrative import EVENT_TEXTS, complaints, story
from service.domain.events import KINDS

SKIPPED = {"kind": "unit.skipped", "worker": None, "data": {"because_of": "a", "path": ["a", "b"]}}
BEAT = {"kind": "unit.heartbeat", "worker": "owl", "data": {}}
CLAIMED = {"kind": "unit.claimed", "worker": "owl", "data": {"attempt": 1}}


def test_a_story_names_events_in_plain_words_without_heartbeats() -> None:
    """B-DAG-2: the path is named."""
    assert story([CLAIMED, BEAT, SKIPPED]) == "owl took it · skipped because of a: a → b"


def test_every_described_event_kind_exists() -> None:
    assert EVENT_TEXTS.keys() <= set(KINDS)
    assert {kind for one in scenario.EXPECTED_OUTCOMES.values() for kind in one.kinds} <= set(KINDS)


def test_a_unit_with_the_wrong_end_is_reported() -> None:
    assert list(complaints("build/1", "done", {"unit.claimed", "unit.completed"})) == []
    assert list(complaints("build/1", "ready", {"unit.claimed"})) == [
        "UNACCOUNTED FOR: build/1 is ready, it should be done",
        "UNACCOUNTED FOR: build/1 has no unit.completed",
    ]


def test_the_scenario_has_every_unit_once_and_only_known_parents() -> None:
    units = [*scenario.evening(), *scenario.late()]
    keys = Counter(unit["key"] for unit in units)
    assert set(keys.values()) == {1}
    assert {parent for unit in units for parent in unit["depends_on"]} <= keys.keys()
    assert scenario.EXPECTED_OUTCOMES.keys() <= keys.keys() | {unit["key"] for unit in scenario.shaky()}


def test_unit_commands_fail_as_the_scenario_says(tmp_path: Path) -> None:
    unit_command.do("work", 0, tmp_path)
    unit_command.do("shaky", 0, tmp_path)
    (tmp_path / "down").touch()
    for name, kind in (("shaky", ConnectionError), ("poison", ValueError), ("once", RuntimeError)):
        with pytest.raises(kind):
            unit_command.do(name, 0, tmp_path)
