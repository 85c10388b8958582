"""The short notation of the rules, expanded to PromQL.

`F(x)` takes one of the replicas that all export the same fold, `R[w](x)` and `I[w](x)` the same with `rate` and `increase` over
*w*, `hq` is `histogram_quantile`.
"""

import re

FOLD = "max without (instance, pod, replica)"
_OPENING = re.compile(r"\b(?:(?P<one>F)|(?P<over>[RI])\[(?P<window>\w+)\]|(?P<quantile>hq))\(")
_OVER = {"R": "rate", "I": "increase"}


def expand(text: str) -> str:
    """Return the PromQL that *text* stands for.

    >>> expand('I[5m](muster_parks_total{quota="q"})')
    'max without (instance, pod, replica) (increase(muster_parks_total{quota="q"}[5m]))'
    """
    opening = _OPENING.search(text)
    if opening is None:
        return text
    end = _closing(text, opening.end())
    inside = expand(text[opening.end() : end])
    if opening["quantile"]:
        inside = f"histogram_quantile({inside})"
    elif opening["over"]:
        inside = f"{FOLD} ({_OVER[opening['over']]}({inside}[{opening['window']}]))"
    else:
        inside = f"{FOLD} ({inside})"
    return text[: opening.start()] + inside + expand(text[end + 1 :])


def _closing(text: str, start: int) -> int:
    """Return where the parenthesis that was opened before *start* closes."""
    depth = 1
    for position in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if depth == 0:
            return position
    raise ValueError(f"unbalanced: {text}")
