"""The rendered notifications, kept beside the tests; `python -m tests.rules.golden` writes them anew for reading in the diff."""

import json
import re
from pathlib import Path
from typing import Any

from ops.rules.groups import ALERTS
from ops.rules.rule import Alert
from tests.rules.case import Case
from tests.rules.cases import CASES
from tests.rules.promtool import notification_test, verdict

FILE = Path(__file__).with_name("notifications.json")
_LABELS = re.compile(r"^\s*Labels:\{(.*)\}\s*$", re.MULTILINE)
_ANNOTATIONS = re.compile(r"^\s*Annotations:\{(.*)\}\s*$", re.MULTILINE)
_PAIR = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*")')


def first_firing(rule: Alert) -> Case:
    """Return the first case on which *rule* fires."""
    return next(case for case in CASES[rule.key] if case.fires)


def expected() -> dict[str, list[dict[str, Any]]]:
    """Return what every rule must send, by its key."""
    kept: dict[str, list[dict[str, Any]]] = json.loads(FILE.read_text(encoding="utf-8"))
    return kept


def rendered(rule: Alert) -> list[dict[str, Any]]:
    """Return what promtool renders when nothing is expected of *rule*."""
    got = verdict(rule, [notification_test(rule, first_firing(rule), [])]).partition("got:")[2]
    labels, annotations = ([_pairs(text) for text in pattern.findall(got)] for pattern in (_LABELS, _ANNOTATIONS))
    return [
        {"exp_labels": {name: value for name, value in label.items() if name != "alertname"}, "exp_annotations": text}
        for label, text in zip(labels, annotations, strict=True)
    ]


def _pairs(text: str) -> dict[str, str]:
    return {name: json.loads(value) for name, value in _PAIR.findall(text)}


if __name__ == "__main__":
    document = {rule.key: rendered(rule) for rule in ALERTS}
    FILE.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
