"""The short notation of the boards, expanded to PromQL.

It is that of the rules (`ops/rules/notation.py`), and beside it:

| written | means |
|---|---|
| `R(x)`, `I(x)` | the same over `$__rate_interval` |
| `{inst}` | `{instance=~"$instance"}` |

Every selector also gets `job=~"$job"`.
"""

import re

from ops.rules.notation import expand

JOB = 'job=~"$job"'
WINDOW = "$__rate_interval"
_SELECTOR = re.compile(r"(?<![\w:.$])((?:muster|process)_\w+|(?:job|campaign):muster_[\w:]+|ALERTS)(\{[^}]*\})?")


def spell(short: str) -> str:
    """Return the PromQL of *short*.

    >>> spell('sum(F(muster_units{state="ready"}))')
    'sum(max without (instance, pod, replica) (muster_units{job=~"$job",state="ready"}))'
    >>> spell("sum by (to) (R(muster_skips_total))")
    'sum by (to) (max without (instance, pod, replica) (rate(muster_skips_total{job=~"$job"}[$__rate_interval])))'
    """
    return _SELECTOR.sub(_matched, expand(short.replace("{inst}", '{instance=~"$instance"}'), window=WINDOW))


def _matched(selector: re.Match[str]) -> str:
    name, matchers = selector.groups()
    return f"{name}{{{','.join(part for part in (JOB, (matchers or '').strip('{}')) if part)}}}"
