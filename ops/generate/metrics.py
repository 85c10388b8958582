"""Write ops/reference/metrics.md from the catalogue; `--check` only compares."""

import sys
from collections.abc import Iterator
from pathlib import Path

from projections.measures.catalogue import CATALOGUE
from projections.measures.family import Family
from projections.measures.otel_names import otel_name, otel_unit

TARGET = Path(__file__).parents[1] / "reference" / "metrics.md"
SCOPES = {
    "F": "exact fold of the log, the same on every replica",
    "S": "what the views say at the same position",
    "T": "the views and the clock of the database",
    "P": "this process alone",
}
HEAD = """# Metrics

Generated from `projections/measures/families/` by `make generate`. Scopes: {scopes}. An open label has a value for each
subject that is shown: 200 campaigns, 1,000 workers and 50 quotas, open ones first, then the most recent; an ended campaign
leaves after 24 hours, a worker that went after one. `muster_metrics_dropped_entities` counts who is left out.

| family | kind | scope | labels | buckets | OTLP | folds | meaning |
|---|---|---|---|---|---|---|---|
"""


def labels(family: Family) -> str:
    """Return the labels with their closed sets of values."""
    shown = (f"`{name}`" if values is None or len(values) > 12 else f"`{name}`: {', '.join(values)}"
             for name, values in family.labels.items())  # fmt: skip
    return "; ".join(shown)


def lines() -> Iterator[str]:
    """Yield the page."""
    yield HEAD.format(scopes=", ".join(f"**{scope}** {text}" for scope, text in SCOPES.items()))
    for family in CATALOGUE.values():
        folded = "every event" if len(family.events) > 20 else " ".join(f"`{kind}`" for kind in family.events)
        buckets = " ".join(f"{bound:g}" for bound in family.buckets)
        otel = f"`{otel_name(family)}` {otel_unit(family)}".strip()
        cells = (f"`{family.name}`", family.kind, family.scope, labels(family), buckets, otel, folded, family.help)
        yield f"| {' | '.join(cells)} |\n"


text = "".join(lines())
if "--check" in sys.argv[1:]:
    sys.exit(0 if TARGET.exists() and TARGET.read_text(encoding="utf-8") == text else "stale, run `make generate`: metrics.md")
if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(text, encoding="utf-8")
    print("written: ops/reference/metrics.md")
