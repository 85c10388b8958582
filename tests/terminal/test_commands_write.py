"""Commands that change something: what they send and what they print."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.service import eventually
from tests.terminal.conftest import FakeWorker, RunMuster

CreateCampaign = Callable[..., str]


def test_a_campaign_is_created_from_a_file_and_options_with_streamed_units(
    muster: RunMuster, http: httpx.Client, name: str, tmp_path: Path
) -> None:
    file = tmp_path / "night.json"
    file.write_text(json.dumps({"name": "other", "title": "Night", "policy": {"max_attempts": 5, "retry": {"factor": 3}}}))
    lines = "".join(json.dumps({"key": f"u{number:04}"}) + "\n" for number in range(1500))
    options = ("--name", name, "--policy", "max_attempts=2", "--policy", "retry.backoff_ms=200", "--label", "team=core")
    printed = muster("campaign", "create", str(file), *options, "--units", "-", input=lines)
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


def test_a_name_that_is_taken_is_refused(muster: RunMuster, create_campaign: CreateCampaign) -> None:
    refused = muster("campaign", "create", "--name", create_campaign("a"))
    assert refused.exit_code == 1
    assert "taken" in refused.stderr or "exists" in refused.stderr


def test_a_bad_line_is_named_and_the_corrected_file_can_be_added(muster: RunMuster, name: str) -> None:
    refused = muster("campaign", "create", "--name", name, "--units", "-", input='{"key": "a"}\n{"kez": "b"}\n')
    assert refused.exit_code == 1
    assert "line 2" in refused.stderr
    assert f"muster unit add {name} FILE" in refused.stderr
    added = muster("unit", "add", name, "-", input='{"key": "a"}\n{"key": "b"}\n')
    assert added.stdout == "2 units added, 0 updated, 0 unchanged\n"


@pytest.mark.parametrize(
    "words", [("--policy", "max_attempts"), ("--policy", "a=1", "--policy", "a.b=2"), ("--deadline", "soon"), ("--label", "x")]
)
def test_options_that_cannot_be_read_are_a_wrong_call(muster: RunMuster, name: str, words: tuple[str, ...]) -> None:
    assert muster("campaign", "create", "--name", name, *words).exit_code == 2


def test_standard_input_is_read_once(muster: RunMuster) -> None:
    assert "cannot both be standard input" in muster("campaign", "create", "-", "--units", "-", input="{}").stderr


def test_a_campaign_needs_a_name(muster: RunMuster) -> None:
    assert "a campaign needs a name" in muster("campaign", "create", "-", input="{}").stderr


@pytest.mark.parametrize(("type", "code", "outcome"), [("completed", 0, "achieved"), ("failed", 4, "failed")])
def test_wait_ends_with_the_outcome(
    muster: RunMuster,
    http: httpx.Client,
    fake_worker: FakeWorker,
    name: str,
    type: str,  # noqa: A002 - as a report calls it
    code: int,
    outcome: str,
) -> None:
    def work() -> None:
        eventually(lambda: http.get(f"/v1/campaigns/{name}").is_success)
        token = fake_worker.claim(name, wait_s=10)
        fake_worker.report(type=type, token=token, **({} if type == "completed" else {"reason": "crash", "error": "no"}))

    body = {"name": name, "policy": {"max_attempts": 1}, "units": [{"key": "a"}]}
    worker = threading.Thread(target=work)
    worker.start()
    printed = muster("campaign", "create", "-", "--wait", "--json", input=json.dumps(body))
    worker.join()
    assert printed.exit_code == code, printed.output
    assert json.loads(printed.stdout)["outcome"] == outcome


def test_the_commands_about_a_campaign(
    muster: RunMuster, http: httpx.Client, create_campaign: CreateCampaign, fake_worker: FakeWorker
) -> None:
    name = create_campaign("a", "b", policy={"max_attempts": 1, "breaker": {"threshold": 1}})
    fake_worker.fail(name)
    assert muster("campaign", "pause", name, "--reason", "red tests").stdout == f"campaign {name} is paused\n"
    assert http.get(f"/v1/campaigns/{name}").json()["paused"]["reason"] == "red tests"
    assert muster("campaign", "resume", name).stdout == f"campaign {name} is running\n"
    assert json.loads(muster("campaign", "reset", name, "--json").stdout)["breaker"]["tripped"] is False
    assert muster("campaign", "retry", name, "--dry-run").stdout == "1 quarantined unit would be retried\n"
    assert muster("campaign", "retry", name, "--error", "*other*").stdout == "0 of 0 quarantined units back to work\n"
    assert muster("campaign", "retry", name, "--of", "max_attempts").stdout == "1 of 1 quarantined unit back to work\n"
    assert muster("campaign", "cancel", name).stdout == f"campaign {name} is cancelled\n"
    assert muster("campaign", "pause", name).exit_code == 1


def test_the_commands_about_a_unit(muster: RunMuster, create_campaign: CreateCampaign, fake_worker: FakeWorker) -> None:
    name = create_campaign("a/1")
    assert muster("unit", "park", name, "a/1", "--until", "2h").stdout.startswith("unit a/1 is parked until ")
    assert muster("unit", "unpark", name, "a/1").stdout == "unit a/1 is ready\n"
    fake_worker.claim(name)
    assert muster("unit", "stop", name, "a/1").stdout == "unit a/1 is ready\n"
    assert muster("unit", "quarantine", name, "a/1", "--reason", "odd").stdout == "unit a/1 is quarantined\n"
    assert muster("unit", "retry", name, "a/1").stdout == "unit a/1 is ready\n"
    assert muster("unit", "cancel", name, "a/1").stdout == "unit a/1 is cancelled\n"


def test_the_commands_about_a_worker(muster: RunMuster, create_campaign: CreateCampaign, fake_worker: FakeWorker) -> None:
    name = create_campaign("a")
    fake_worker.report(type="worker", alive=True, capacity=2)
    fake_worker.claim(name)
    shown = muster("worker", "show", fake_worker.name).stdout
    assert "1 of 2 in use" in shown
    assert fake_worker.name in muster("worker", "list", "--level", "healthy").stdout
    assert muster("worker", "drain", fake_worker.name).stdout == f"worker {fake_worker.name} is draining\n"
    assert muster("worker", "fence", fake_worker.name, "--yes").stdout == f"worker {fake_worker.name} is fenced\n"


def test_the_engine_and_its_quotas(muster: RunMuster, http: httpx.Client) -> None:
    assert muster("engine", "pause", "--reason", "maintenance").stdout.startswith("the engine is paused, ")
    assert "maintenance" in muster("engine", "show").stdout
    assert muster("engine", "resume").stdout.startswith("the engine is running, ")
    assert "of 900 slots" in muster("engine", "resize", "900").stdout
    assert muster("engine", "tick", "--force").exit_code == 0
    http.post("/v1/quotas/anthropic/readings", json={"failure": "auth"})
    assert "closed  auth" in muster("quota", "list").stdout
    assert "fails: auth" in muster("quota", "show", "anthropic").stdout
