"""Commands that change something: what they send, what they say."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.service import eventually
from tests.terminal.conftest import Hand, Say

Begin = Callable[..., str]


def test_a_campaign_is_begun_from_a_file_under_options_with_its_units_streamed(
    say: Say, http: httpx.Client, name: str, tmp_path: Path
) -> None:
    file = tmp_path / "night.json"
    file.write_text(json.dumps({"name": "other", "title": "Night", "policy": {"max_attempts": 5, "retry": {"factor": 3}}}))
    lines = "".join(json.dumps({"key": f"u{number:04}"}) + "\n" for number in range(1500))
    options = ("--name", name, "--policy", "max_attempts=2", "--policy", "retry.backoff_ms=200", "--label", "team=core")
    printed = say("campaign", "create", str(file), *options, "--units", "-", input=lines)
    assert printed.exit_code == 0, printed.output
    assert "1,500 units added, 0 updated, 0 unchanged" in printed.stderr
    assert printed.stdout == f"campaign {name} is running, 0/1,500 done\n"
    view = http.get(f"/v1/campaigns/{name}").json()
    assert (view["title"], view["labels"], view["units"]["ready"]) == ("Night", {"team": "core"}, 1500)
    assert (view["policy"]["max_attempts"], view["policy"]["retry"]["backoff_ms"], view["policy"]["retry"]["factor"]) == (
        2,
        200,
        3,
    )


def test_a_name_that_is_taken_is_refused(say: Say, begin: Begin) -> None:
    refused = say("campaign", "create", "--name", begin("a"))
    assert refused.exit_code == 1
    assert "taken" in refused.stderr or "exists" in refused.stderr


def test_a_bad_line_is_named_and_the_mended_file_can_be_added(say: Say, name: str) -> None:
    refused = say("campaign", "create", "--name", name, "--units", "-", input='{"key": "a"}\n{"kez": "b"}\n')
    assert refused.exit_code == 1
    assert "line 2" in refused.stderr
    assert f"muster unit add {name} FILE" in refused.stderr
    added = say("unit", "add", name, "-", input='{"key": "a"}\n{"key": "b"}\n')
    assert added.stdout == "2 units added, 0 updated, 0 unchanged\n"


@pytest.mark.parametrize(
    "words", [("--policy", "max_attempts"), ("--policy", "a=1", "--policy", "a.b=2"), ("--deadline", "soon"), ("--label", "x")]
)
def test_options_that_mean_nothing_are_a_wrong_call(say: Say, name: str, words: tuple[str, ...]) -> None:
    assert say("campaign", "create", "--name", name, *words).exit_code == 2


def test_standard_input_is_read_once(say: Say) -> None:
    assert "cannot both be standard input" in say("campaign", "create", "-", "--units", "-", input="{}").stderr


def test_a_campaign_needs_a_name(say: Say) -> None:
    assert "a campaign needs a name" in say("campaign", "create", "-", input="{}").stderr


@pytest.mark.parametrize(("type", "code", "outcome"), [("completed", 0, "achieved"), ("failed", 4, "failed")])
def test_waiting_ends_with_the_outcome(
    say: Say,
    http: httpx.Client,
    hand: Hand,
    name: str,
    type: str,  # noqa: A002 - as a report calls it
    code: int,
    outcome: str,
) -> None:
    def work() -> None:
        eventually(lambda: http.get(f"/v1/campaigns/{name}").is_success)
        token = hand.claim(name, wait_s=10)
        hand.report(type=type, token=token, **({} if type == "completed" else {"reason": "crash", "error": "no"}))

    body = {"name": name, "policy": {"max_attempts": 1}, "units": [{"key": "a"}]}
    worker = threading.Thread(target=work)
    worker.start()
    printed = say("campaign", "create", "-", "--wait", "--json", input=json.dumps(body))
    worker.join()
    assert printed.exit_code == code, printed.output
    assert json.loads(printed.stdout)["outcome"] == outcome


def test_the_switches_of_a_campaign(say: Say, http: httpx.Client, begin: Begin, hand: Hand) -> None:
    name = begin("a", "b", policy={"max_attempts": 1, "breaker": {"threshold": 1}})
    hand.fail(name)
    assert say("campaign", "pause", name, "--reason", "red tests").stdout == f"campaign {name} is paused\n"
    assert http.get(f"/v1/campaigns/{name}").json()["paused"]["reason"] == "red tests"
    assert say("campaign", "resume", name).stdout == f"campaign {name} is running\n"
    assert json.loads(say("campaign", "reset", name, "--json").stdout)["breaker"]["tripped"] is False
    assert say("campaign", "retry", name, "--dry-run").stdout == "1 quarantined unit would be retried\n"
    assert say("campaign", "retry", name, "--error", "*other*").stdout == "0 of 0 quarantined units back to work\n"
    assert say("campaign", "retry", name, "--of", "max_attempts").stdout == "1 of 1 quarantined unit back to work\n"
    assert say("campaign", "cancel", name).stdout == f"campaign {name} is cancelled\n"
    assert say("campaign", "pause", name).exit_code == 1


def test_the_orders_about_a_unit(say: Say, begin: Begin, hand: Hand) -> None:
    name = begin("a/1")
    assert say("unit", "park", name, "a/1", "--until", "2h").stdout.startswith("unit a/1 is parked until ")
    assert say("unit", "unpark", name, "a/1").stdout == "unit a/1 is ready\n"
    hand.claim(name)
    assert say("unit", "stop", name, "a/1").stdout == "unit a/1 is ready\n"
    assert say("unit", "quarantine", name, "a/1", "--reason", "odd").stdout == "unit a/1 is quarantined\n"
    assert say("unit", "retry", name, "a/1").stdout == "unit a/1 is ready\n"
    assert say("unit", "cancel", name, "a/1").stdout == "unit a/1 is cancelled\n"


def test_the_orders_about_a_worker(say: Say, begin: Begin, hand: Hand) -> None:
    name = begin("a")
    hand.report(type="worker", alive=True, capacity=2)
    hand.claim(name)
    shown = say("worker", "show", hand.name).stdout
    assert "1 of 2 in use" in shown
    assert hand.name in say("worker", "list", "--level", "healthy").stdout
    assert say("worker", "drain", hand.name).stdout == f"worker {hand.name} is draining\n"
    assert say("worker", "fence", hand.name, "--yes").stdout == f"worker {hand.name} is fenced\n"


def test_the_engine_and_its_quotas(say: Say, http: httpx.Client) -> None:
    assert say("engine", "pause", "--reason", "maintenance").stdout.startswith("the engine is paused, ")
    assert "maintenance" in say("engine", "show").stdout
    assert say("engine", "resume").stdout.startswith("the engine is running, ")
    assert "of 900 slots" in say("engine", "resize", "900").stdout
    assert say("engine", "tick", "--force").exit_code == 0
    http.post("/v1/quotas/anthropic/readings", json={"failure": "auth"})
    assert "closed  auth" in say("quota", "list").stdout
    assert "fails: auth" in say("quota", "show", "anthropic").stdout
