"""The command line of a unit and its environment."""

import pytest

from service.client.claim_types import GrantedClaim
from service.worker.command import CommandLine, PlaceholderError, environment

CLAIM = GrantedClaim(
    token="t-1",
    campaign="nightly",
    key="a/b c",
    attempt=2,
    payload={"path": "x y.py", "deep": {"n": 3}, "on": True, "work-dir": "w"},
    brief="do it",
)


@pytest.mark.parametrize(
    ("word", "filled"),
    [
        ("{key}", "a/b c"),
        ("--of={campaign}:{attempt}", "--of=nightly:2"),
        ("{payload.path}", "x y.py"),
        ("{payload.deep.n}", "3"),
        ("{payload.deep}", '{"n":3}'),
        ("{payload.on}", "true"),
        ("{payload.work-dir}", "w"),
        ("{{key}}", "{key}"),
        ("{print $1}", "{print $1}"),
        ("${HOME}", "${HOME}"),
        ("{}", "{}"),
    ],
)
def test_a_placeholder_is_filled_in_and_other_braces_stay(word: str, filled: str) -> None:
    assert CommandLine([word]).line(CLAIM) == [filled]


def test_a_value_that_looks_like_a_placeholder_is_not_filled_in_again() -> None:
    assert CommandLine(["{key}"]).line(GrantedClaim(token="t", campaign="c", key="{attempt}")) == ["{attempt}"]


def test_an_unknown_placeholder_is_refused_before_anything_starts() -> None:
    with pytest.raises(PlaceholderError, match=r"unknown placeholder \{unit\}; known are \{key\}"):
        CommandLine(["echo", "{unit}"])


@pytest.mark.parametrize("payload", [None, [], "text", {"other": 1}])
def test_a_field_that_the_unit_does_not_have_is_an_error_of_that_unit(payload: object) -> None:
    with pytest.raises(PlaceholderError, match=r"the unit has no \{payload.path\}"):
        CommandLine(["{payload.path}"]).line(GrantedClaim(token="t", campaign="c", key="k", payload=payload))


def test_the_environment_describes_the_claim() -> None:
    variables = environment(CLAIM, "http://127.0.0.1:1")
    assert {name: variables[name] for name in sorted(variables) if name.startswith("MUSTER_")} == {
        "MUSTER_ATTEMPT": "2",
        "MUSTER_BRIEF": "do it",
        "MUSTER_CAMPAIGN": "nightly",
        "MUSTER_KEY": "a/b c",
        "MUSTER_PAYLOAD": '{"path":"x y.py","deep":{"n":3},"on":true,"work-dir":"w"}',
        "MUSTER_PAYLOAD_DEEP": '{"n":3}',
        "MUSTER_PAYLOAD_ON": "true",
        "MUSTER_PAYLOAD_PATH": "x y.py",
        "MUSTER_PAYLOAD_WORK_DIR": "w",
        "MUSTER_RESUME_SESSION": "",
        "MUSTER_TOKEN": "t-1",
        "MUSTER_URL": "http://127.0.0.1:1",
    }
