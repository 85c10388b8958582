"""`make rules-mutate`: break every rule a little, see whether its cases notice; ends with 1 when fewer than 95 % are noticed."""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from ops.rules.groups import ALERTS
from ops.rules.recording import RECORDINGS
from ops.rules.rule import Alert, Recording
from tests.rules.cases import CASES, RECORDED
from tests.rules.golden import expected, first_firing
from tests.rules.promtool import alert_test, notification_test, recorded_test, verdict

ENOUGH = 0.95
# Selectors are stepped over: the first alternative takes them whole.
TOKEN = re.compile(
    r"\{[^}]*\}|vector\(\d+\)"
    r"|\[(?P<window>\w+)\]"
    r"|(?P<fold>max(?= without))"
    r"|(?P<comparison>>=|<=|==|!=|>|<)"
    r"|(?<![\w.:])(?P<number>\d+(?:\.\d+)?)(?![\w.:])"
)
UNITS = {"m": 60, "h": 3600, "d": 86400}
FLIPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "!=", "!=": "=="}


@dataclass(frozen=True)
class Mutant:
    """A rule with one thing changed."""

    rule: Alert | Recording
    kind: str
    change: str

    @property
    def name(self) -> str:
        """Which rule it was."""
        return self.rule.key if isinstance(self.rule, Alert) else self.rule.record

    def survives(self) -> bool:
        """Tell whether every case still holds."""
        if isinstance(self.rule, Alert):
            told = notification_test(self.rule, first_firing(self.rule), expected()[self.rule.key])
            return not verdict(self.rule, [told, *(alert_test(self.rule, case) for case in CASES[self.rule.key])])
        return not verdict(self.rule, [recorded_test(self.rule, RECORDED[self.rule.record])])


def mutants(rule: Alert | Recording) -> Iterator[Mutant]:
    """Yield *rule* with comparisons flipped, numbers, windows and `for` doubled and halved, no `for`, and replicas summed."""
    promql = rule.promql
    for token in TOKEN.finditer(promql):
        if token["comparison"]:
            yield _changed(rule, "comparison flipped", token, FLIPPED[token["comparison"]])
        elif token["number"] and float(token["number"]) != 0:
            yield _changed(rule, "number doubled", token, f"{float(token['number']) * 2:g}")
            yield _changed(rule, "number halved", token, f"{float(token['number']) / 2:g}")
        elif token["window"]:
            yield _changed(rule, "window doubled", token, f"[{_times(token['window'], 2)}]")
            yield _changed(rule, "window halved", token, f"[{_times(token['window'], 0.5)}]")
        elif token["fold"]:
            yield _changed(rule, "replicas summed", token, "sum")
    if isinstance(rule, Alert) and rule.lasting:
        yield Mutant(replace(rule, lasting=""), "`for` dropped", f"for: {rule.lasting}")
        for kind, factor in (("`for` doubled", 2), ("`for` halved", 0.5)):
            yield Mutant(replace(rule, lasting=_times(rule.lasting, factor)), kind, f"for: {rule.lasting}")


def _times(span: str, factor: float) -> str:
    """Return *span* (`5m`) times *factor*, in seconds."""
    return f"{int(span[:-1]) * UNITS[span[-1]] * factor:.0f}s"


def _changed(rule: Alert | Recording, kind: str, token: re.Match[str], new: str) -> Mutant:
    """Return *rule* with *token* replaced."""
    before, after = token.string[: token.start()], token.string[token.end() :]
    change = f"…{before[-45:]}⟦{token[0]} → {new}⟧{after[:20]}…"
    return Mutant(replace(rule, expr=f"{before}{new}{after}"), kind, " ".join(change.split()))


def mutate() -> bool:
    """Run every mutant and print which survive; tell whether enough were killed."""
    rules: tuple[Alert | Recording, ...] = (*RECORDINGS, *ALERTS)
    every = [mutant for rule in rules for mutant in mutants(rule)]
    with ThreadPoolExecutor(2) as pool:
        survivors = [mutant for mutant, lives in zip(every, pool.map(Mutant.survives, every), strict=True) if lives]
    made, alive = Counter(mutant.kind for mutant in every), Counter(mutant.kind for mutant in survivors)
    print(f"{'mutants':<20} {'made':>5} {'killed':>7}")
    for kind, count in made.items():
        print(f"{kind:<20} {count:>5} {count - alive[kind]:>7}")
    killed = 1 - len(survivors) / len(every)
    print(f"{'all':<20} {len(every):>5} {len(every) - len(survivors):>7}  {killed:.1%}")
    for mutant in survivors:
        print(f"survived: {mutant.name}: {mutant.kind}: {mutant.change}")
    return killed >= ENOUGH


if __name__ == "__main__":
    sys.exit(0 if mutate() else 1)
