"""The short notation of rules and boards, expanded to PromQL.

Fleet metrics are the same on every replica, so an expression takes the largest, never the sum:

| written | means |
|---|---|
| `F(x)` | `max without (instance, pod, replica) (x)` |
| `R[w](x)` | `F(rate(x[w]))` |
| `I[w](x)` | `F(increase(x[w]))` |
| `hq(q, x)` | `histogram_quantile(q, x)` |

The boards add two shorthands of their own in `grafana/notation.py`.
"""

import re

FOLD = "max without (instance, pod, replica)"
_OPENING = re.compile(r"\b(?:(?P<one>F)|(?P<over>[RI])(?:\[(?P<window>[^\]]+)\])?|(?P<quantile>hq))\(")
_OVER = {"R": "rate", "I": "increase"}


def expand(text: str, *, window: str | None = None) -> str:
    """Return the PromQL that *text* stands for; *window* is that of an `R` or `I` without one.

    Raises:
        ValueError: a parenthesis is not closed, or a window is missing.

    >>> expand('I[5m](muster_parks_total{quota="q"})')
    'max without (instance, pod, replica) (increase(muster_parks_total{quota="q"}[5m]))'
    """
    opening = _OPENING.search(text)
    if opening is None:
        return text
    end = _closing(text, opening.end())
    inside = expand(text[opening.end() : end], window=window)
    if opening["quantile"]:
        inside = f"histogram_quantile({inside})"
    elif opening["over"]:
        over = opening["window"] or window
        if over is None:
            raise ValueError(f"no window: {text}")
        inside = f"{FOLD} ({_OVER[opening['over']]}({inside}[{over}]))"
    else:
        inside = f"{FOLD} ({inside})"
    return text[: opening.start()] + inside + expand(text[end + 1 :], window=window)


def _closing(text: str, start: int) -> int:
    """Return where the parenthesis that was opened before *start* closes.

    Raises:
        ValueError: it does not close.
    """
    depth = 1
    for position in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if depth == 0:
            return position
    raise ValueError(f"unbalanced: {text}")
