"""Every rule on its cases, run by Prometheus's own test runner."""

import subprocess
import sys
from pathlib import Path

import pytest

from ops.rules.groups import ALERTING, ALERTS
from ops.rules.recording import RECORDINGS, ROUTES
from ops.rules.rule import Alert, Recording
from tests.rules.cases import CASES, RECORDED
from tests.rules.golden import expected, first_firing
from tests.rules.promtool import alert_test, notification_test, recorded_test, run, verdict

OPS = Path(__file__).parents[2] / "ops"


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule.key)
def test_an_alert_fires_when_it_must_not_before_and_says_what_is_wrong(rule: Alert) -> None:
    tests = [alert_test(rule, case) for case in CASES[rule.key]]
    tests.append(notification_test(rule, first_firing(rule), expected()[rule.key]))
    assert not (failure := verdict(rule, tests)), failure


@pytest.mark.parametrize("rule", RECORDINGS, ids=lambda rule: rule.record)
def test_a_recording_rule_records_the_expected_numbers(rule: Recording) -> None:
    assert not (failure := verdict(rule, [recorded_test(rule, RECORDED[rule.record])])), failure


def test_every_rule_has_cases_that_fire_and_cases_that_are_quiet() -> None:
    assert set(CASES) == {rule.key for rule in ALERTS} == set(expected())
    assert set(RECORDED) == {rule.record for rule in RECORDINGS}
    for key, cases in CASES.items():
        assert any(case.fires for case in cases), key
        assert key == "MusterWatchdog none" or any(case.quiet for case in cases), key


def test_an_alert_that_waits_has_a_case_just_before_its_time() -> None:
    for rule in ALERTS:
        assert not rule.lasting or any(case.fires and case.quiet for case in CASES[rule.key]), rule.key


def test_the_rules_are_those_of_the_specification() -> None:
    assert len(ALERTS) == 57
    assert len({rule.name for rule in ALERTS}) == 50
    assert len(ALERTING) == 7
    assert len(RECORDINGS) == 26
    assert len({rule.key for rule in ALERTS}) == 57


def test_rules_of_one_name_differ_in_their_labels() -> None:
    labels = [(rule.name, rule.severity, *rule.labels.items()) for rule in ALERTS]
    assert len(set(labels)) == len(labels)


def test_streams_and_probes_are_no_promise_of_the_api() -> None:
    assert ROUTES == 'route!~"/metrics|/healthz|/readyz|.*/stream"'


@pytest.mark.parametrize("name", ["muster.rules.yml", "muster.alerts.yml"])
def test_prometheus_accepts_the_rule_files(name: str) -> None:
    checked = run("promtool", "check", "rules", "--lint=all", "--lint-fatal", str(OPS / "prometheus" / name))
    assert checked.returncode == 0, checked.stderr


def test_prometheus_accepts_its_configuration() -> None:
    checked = run("promtool", "check", "config", "--syntax-only", str(OPS / "prometheus" / "prometheus.yml"))
    assert checked.returncode == 0, checked.stderr


def test_the_rule_files_are_what_the_tables_say() -> None:
    generator = OPS / "generate" / "prometheus_rules.py"
    checked = subprocess.run([sys.executable, generator, "--check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_a_missing_promtool_is_a_failure_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(AssertionError, match="promtool is missing: apt-get install prometheus prometheus-alertmanager"):
        run("promtool", "--version")
