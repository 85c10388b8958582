"""The rules as the files that Prometheus reads."""

import json
from collections.abc import Iterator, Sequence

from ops.rules.rule import Alert, Group, Recording


def rule_file(head: str, groups: Sequence[Group]) -> str:
    """Return a rule file that opens with the comment *head*."""
    lines = [f"# {line}".rstrip() for line in head.strip().splitlines()]
    lines.append("groups:")
    for group in groups:
        lines += [f"  - name: {group.name}", "    rules:"]
        for rule in group.rules:
            lines += _alert(rule) if isinstance(rule, Alert) else _recording(rule)
    return "\n".join(lines) + "\n"


def _recording(rule: Recording) -> Iterator[str]:
    yield f"      - record: {rule.record}"
    yield from _block("expr", rule.promql)


def _alert(rule: Alert) -> Iterator[str]:
    yield f"      - alert: {rule.name}"
    yield from _block("expr", rule.promql)
    if rule.lasting:
        yield f"        for: {rule.lasting}"
    yield from _mapping("labels", {"severity": rule.severity} | rule.labels)
    yield from _mapping("annotations", rule.annotations)


def _block(name: str, text: str) -> Iterator[str]:
    yield f"        {name}: |-"
    yield from (f"          {line}" for line in text.splitlines())


def _mapping(name: str, values: dict[str, str]) -> Iterator[str]:
    yield f"        {name}:"
    # A JSON string is a YAML string.
    yield from (f"          {key}: {json.dumps(value, ensure_ascii=False)}" for key, value in values.items())
