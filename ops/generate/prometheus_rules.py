"""Write ops/prometheus/muster.rules.yml and muster.alerts.yml from the tables in ops/rules; `--check` only compares."""

import sys
from pathlib import Path

from ops.rules.document import rule_file
from ops.rules.groups import ALERTING
from ops.rules.recording import RECORDING
from ops.rules.rule import GRAFANA, RUNBOOKS

FOLDER = Path(__file__).parents[1] / "prometheus"
HEAD = "Written by ops/generate/prometheus_rules.py from ops/rules/; change them there and run `make generate`."
LINKS = f"""
{HEAD}
The links lead to {GRAFANA} (Grafana) and {RUNBOOKS}
(the pages of ops/runbooks/, served by `make observe`): put your addresses there, with sed on this file or in ops/rules/rule.py.
"""
FILES = {"muster.rules.yml": rule_file(HEAD, RECORDING), "muster.alerts.yml": rule_file(LINKS, ALERTING)}


def stale() -> list[str]:
    """Return the names of the files that are not what the tables say."""
    return [
        name
        for name, text in FILES.items()
        if not (FOLDER / name).exists() or (FOLDER / name).read_text(encoding="utf-8") != text
    ]


if "--check" in sys.argv[1:]:
    sys.exit(f"stale, run `make generate`: {', '.join(stale())}" if stale() else 0)
for changed in stale():
    (FOLDER / changed).write_text(FILES[changed], encoding="utf-8")
    print(f"written: ops/prometheus/{changed}")
