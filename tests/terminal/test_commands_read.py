"""Commands that read: what they print, the body of the API with `--json`, and exit codes that scripts can rely on."""

import subprocess
import sys
from collections.abc import Callable

import click
import httpx
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from service.cli import COMMANDS, main
from service.cli.client import completion
from service.client.api_types import ApiCampaign
from service.terminal.render import campaign as campaign_render
from service.terminal.render import table
from tests.patience import PATIENCE_S
from tests.service import free_port
from tests.terminal.conftest import FakeWorker, RunMuster

CreateCampaign = Callable[..., str]
LISTED = """
import sys
from click.testing import CliRunner
from service.cli import main
assert "verify" in CliRunner().invoke(main, ["--help"]).output
found = main.shell_complete(main.make_context("muster", [], resilient_parsing=True), "co") + main.shell_complete(
    main.make_context("muster", [], resilient_parsing=True), "ca"
)
heavy = ("service.cli.", "service.main", "litestar", "alembic", "asyncpg")
print(sorted(one.value for one in found), [name for name in sys.modules if name.startswith(heavy)])
"""


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ("campaign list --limit 1", "/v1/campaigns?limit=1"),
        ("campaign show {name}", "/v1/campaigns/{name}"),
        ("unit list {name} --state ready --limit 1", "/v1/campaigns/{name}/units?state=ready&limit=1"),
        ("unit show {name} a/b", "/v1/campaigns/{name}/units/a%2Fb"),
        ("worker list --campaign {name}", "/v1/workers?campaign={name}"),
        ("quota list", "/v1/quotas"),
        ("engine show", "/v1/engine"),
        ("events --campaign {name} --kind units.added", "/v1/events?campaign={name}&kind=units.added"),
    ],
)
def test_json_is_the_body_of_the_api(
    muster: RunMuster, http: httpx.Client, create_campaign: CreateCampaign, words: str, path: str
) -> None:
    name = create_campaign("a/b", "c")
    printed = muster(*words.format(name=name).split(), "--json")
    assert printed.exit_code == 0, printed.output
    assert printed.stdout_bytes == http.get(path.format(name=name)).content + b"\n"
    assert printed.stderr == ""


def test_without_a_terminal_a_list_is_plain_and_aligned_and_names_its_next_page(
    muster: RunMuster, create_campaign: CreateCampaign
) -> None:
    name = create_campaign("a", "longer", "日本")
    printed = muster("unit", "list", name, "--limit", "3")
    lines = printed.stdout.splitlines()
    assert lines[0].split() == ["UNIT", "STATE", "GROUP", "TRIES", "PARKS", "WORKER", "UNTIL", "FOR", "WHY"]
    assert [line.split()[0] for line in lines[1:]] == ["a", "longer", "日本"]
    assert {line.index("ready") for line in lines[1:3]} == {lines[0].index("STATE")}
    assert lines[3].index("ready") == lines[0].index("STATE") - 2, "two characters that are two cells wide each"
    assert "\x1b" not in printed.output
    assert "there are more: --cursor" in printed.stderr


def test_on_a_terminal_a_table_is_coloured(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    table.show_table(campaign_render.LIST, [ApiCampaign(name="nightly", state="running")], nothing="")
    printed = capsys.readouterr().out
    assert "nightly" in printed
    assert "\x1b[36mrunning" in printed


def test_a_campaign_shows_its_breaker_and_its_failures(
    muster: RunMuster, create_campaign: CreateCampaign, fake_worker: FakeWorker
) -> None:
    """B-BREAK-6, B-RETRY-6."""
    name = create_campaign("a", "b", policy={"max_attempts": 1, "breaker": {"threshold": 1}})
    fake_worker.fail(name, "exit 1: no such file")
    shown = muster("campaign", "show", name).stdout
    assert "Auto paused · 1 fails" in shown
    assert "1 max_attempts" in shown
    unit = muster("unit", "show", name, "a").stdout
    assert "exit 1: no such file" in unit
    assert unit.endswith("last screen:\n  line one\n  red line\n")
    explained = muster("unit", "explain", name, "b").stdout
    assert "is ready; in its way:" in explained
    assert "breaker" in explained


def test_hostile_text_does_not_reach_the_terminal(muster: RunMuster, create_campaign: CreateCampaign) -> None:
    name = create_campaign("a", title="\x1b]0;owned\x07\x1b[2Jnight\u202e")
    printed = muster("campaign", "show", name).stdout
    assert "title     night·" in printed
    assert not {"\x1b", "\x07", "\u202e"} & set(printed)


def test_a_refusal_ends_with_1_and_its_detail(muster: RunMuster) -> None:
    refused = muster("campaign", "show", "nobody")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == "Error: there is no campaign 'nobody'\n"


@pytest.mark.parametrize("words", ["campaign show", "campaign list --state no", "engine resize x", "unit park c a --until soon"])
def test_a_wrong_call_ends_with_2(muster: RunMuster, words: str) -> None:
    assert muster(*words.split()).exit_code == 2


@pytest.mark.parametrize("words", ["campaign list", "events --follow", "engine pause"])
def test_a_service_that_is_not_there_ends_with_3(muster: RunMuster, words: str) -> None:
    away = f"http://127.0.0.1:{free_port()}"
    printed = muster(*words.split(), "--url", away)
    assert (printed.exit_code, printed.stdout) == (3, "")
    assert f"no answer from {away}" in printed.stderr


def test_a_live_view_needs_a_terminal(muster: RunMuster) -> None:
    assert "needs a terminal" in muster("top").stderr
    assert muster("top").exit_code == 2


def test_events_start_with_the_last_ones_and_summarise_their_data(muster: RunMuster, create_campaign: CreateCampaign) -> None:
    name = create_campaign("a")
    lines = muster("events", "--limit", "2").stdout.splitlines()
    assert [line.split()[2] for line in lines[1:]] == ["campaign.created", "units.added"]
    assert name in lines[2]
    assert lines[2].endswith("1 unit")


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_the_help_of_every_command_has_the_summary_of_the_list(command: str) -> None:
    assert CliRunner().invoke(main, [command, "--help"]).exit_code == 0
    found = main.get_command(click.Context(main), command)
    assert found is not None
    assert found.get_short_help_str(limit=200) == COMMANDS[command].summary


def test_the_list_of_commands_and_their_completion_import_none_of_them() -> None:
    done = subprocess.run([sys.executable, "-c", LISTED], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "['campaign', 'completion', 'config'] []"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_of_a_shell_calls_us(shell: str) -> None:
    printed = CliRunner().invoke(main, ["completion", shell])
    assert printed.exit_code == 0
    assert f"_MUSTER_COMPLETE={shell}_complete" in printed.stdout


def test_the_shell_completes_names_of_campaigns_and_units(
    url: str, create_campaign: CreateCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_URL", url)
    monkeypatch.setattr(completion, "TIMEOUT_S", PATIENCE_S)
    name = create_campaign("src/a.py", "src/b.py", "doc")
    shell = ShellComplete(main, {}, "muster", "_MUSTER_COMPLETE")
    assert [found.value for found in shell.get_completions(["campaign", "show"], name)][:1] == [name]
    assert [found.value for found in shell.get_completions(["unit", "show", name], "src/")] == ["src/a.py", "src/b.py"]
    monkeypatch.setenv("MUSTER_URL", f"http://127.0.0.1:{free_port()}")
    assert shell.get_completions(["campaign", "show"], "n") == []
