"""The short notation of the boards, spelt out as PromQL.

Fleet metrics are the same on every replica, so a panel takes the largest, never the sum:

| written | means |
|---|---|
| `F(x)` | `max without (instance, pod, replica) (x)` |
| `R(x)`, `R[w](x)` | `F(rate(x[$__rate_interval]))`, `F(rate(x[w]))` |
| `I[w](x)` | `F(increase(x[w]))` |
| `hq(q, x)` | `histogram_quantile(q, x)` |
| `{inst}` | `{instance=~"$instance"}` |

Every selector also gets `job=~"$job"`.
"""

import re

FOLD = "max without (instance, pod, replica)"
JOB = 'job=~"$job"'
_WINDOWED = re.compile(r"\b([RI])(?:\[([^\]]+)\])?\(([a-zA-Z_:][\w:]*)(\{[^}]*\})?\)")
_SELECTOR = re.compile(r"(?<![\w:.$])((?:muster|process)_\w+|(?:job|campaign):muster_[\w:]+|ALERTS)(\{[^}]*\})?")
_FUNCTION = {"R": "rate", "I": "increase"}


def spell(short: str) -> str:
    """Return the PromQL of *short*.

    >>> spell('sum(F(muster_units{state="ready"}))')
    'sum(max without (instance, pod, replica) (muster_units{job=~"$job",state="ready"}))'
    >>> spell("sum by (to) (R(muster_skips_total))")
    'sum by (to) (max without (instance, pod, replica) (rate(muster_skips_total{job=~"$job"}[$__rate_interval])))'
    """
    windowed = _WINDOWED.sub(_window, short.replace("{inst}", '{instance=~"$instance"}'))
    folded = re.sub(r"\bF\(", f"{FOLD} (", windowed)
    quantiles = re.sub(r"\bhq\(", "histogram_quantile(", folded)
    return _SELECTOR.sub(_matched, quantiles)


def _window(found: re.Match[str]) -> str:
    function, window, name, matchers = found.groups()
    return f"F({_FUNCTION[function]}({name}{matchers or ''}[{window or '$__rate_interval'}]))"


def _matched(found: re.Match[str]) -> str:
    name, matchers = found.groups()
    return f"{name}{{{','.join(part for part in (JOB, (matchers or '').strip('{}')) if part)}}}"
