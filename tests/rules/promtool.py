"""Prometheus's own test runner, fed with one rule, what it needs, and its cases."""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ops.rules.recording import RECORDINGS
from ops.rules.rule import Alert, Recording
from tests.rules.case import Case, fed
from tests.rules.cases.recorded import Recorded

INSTALL = "apt-get install prometheus prometheus-alertmanager"
PRECISION = 1_000_000
_NAME = re.compile(r"\b(?:job|campaign):\w+:\w+")
Document = dict[str, Any]


def program(name: str) -> str:
    """Return where the program *name* is, or say what to install."""
    found = shutil.which(name)
    assert found, f"{name} is missing: {INSTALL}"
    return found


def run(name: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run([program(name), *words], capture_output=True, text=True, check=False, timeout=120)


def needed(expr: str, recordings: Sequence[Recording] = RECORDINGS) -> list[Recording]:
    """Return the recording rules that *expr* reads, those that others read first."""
    names = set(_NAME.findall(expr))
    found: list[Recording] = []
    for rule in recordings:
        if rule.record in names:
            found += [deeper for deeper in needed(rule.promql, recordings) if deeper not in found]
            found.append(rule)
    return found


def verdict(rule: Alert | Recording, tests: Iterable[Document]) -> str:
    """Return what promtool says against *rule* in *tests*, nothing when they hold."""
    recordings = [{"record": each.record, "expr": each.promql} for each in needed(rule.promql)]
    if isinstance(rule, Recording):
        tested: Document = {"record": rule.record, "expr": rule.promql}
    else:
        labels = {"severity": rule.severity} | rule.labels
        tested = {"alert": rule.name, "expr": rule.promql, "labels": labels, "annotations": rule.annotations}
        tested |= {"for": rule.lasting} if rule.lasting else {}
    groups = [{"name": "rules", "rules": [*recordings, tested]}]
    by_step: dict[str, list[Document]] = {}
    for test in tests:
        by_step.setdefault(test["interval"], []).append(test)
    with tempfile.TemporaryDirectory() as folder:
        # Every JSON document is a YAML document.
        (Path(folder) / "rules.json").write_text(json.dumps({"groups": groups}))
        names = []
        for step, those in by_step.items():
            document = {"rule_files": ["rules.json"], "evaluation_interval": step, "tests": those}
            (Path(folder) / f"every-{step}.json").write_text(json.dumps(document))
            names.append(f"{folder}/every-{step}.json")
        ended = run("promtool", "test", "rules", *names)
    return "" if ended.returncode == 0 else ended.stdout + ended.stderr


def alert_test(rule: Alert, case: Case) -> Document:
    """Return *case* as a test of how many alerts fire at its instants."""
    firing = f'count(ALERTS{{alertname="{rule.name}",alertstate="firing"}}) or vector(0)'
    return _test(case.about, case.series, case.every) | {
        "promql_expr_test": [
            {"expr": firing, "eval_time": instant, "exp_samples": [{"labels": "{}", "value": expected}]}
            for instants, expected in ((case.fires, 1), (case.quiet, 0))
            for instant in instants
        ]
    }


def notification_test(rule: Alert, case: Case, expected: list[Document]) -> Document:
    """Return a test of the labels and texts of what fires first in *case*."""
    at = {"eval_time": case.fires[0], "alertname": rule.name, "exp_alerts": expected}
    return _test(f"the texts when {case.about}", case.series, case.every) | {"alert_rule_test": [at]}


def recorded_test(rule: Recording, case: Recorded) -> Document:
    """Return *case* as a test of what *rule* records."""
    expected = [{"labels": labels, "value": round(value * PRECISION)} for labels, value in case.samples.items()]
    query = {"expr": f"round({rule.record} * {PRECISION})", "eval_time": case.at, "exp_samples": expected}
    return _test(rule.record, case.series, case.every) | {"promql_expr_test": [query]}


def _test(name: str, series: Iterable[str], every: str) -> Document:
    return {"name": name, "interval": every, "input_series": [each for line in series for each in fed(line)]}
