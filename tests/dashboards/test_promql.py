"""Prometheus itself reads every query."""

import json
import shutil
import subprocess
from pathlib import Path

from grafana.layout import CHOICES, FIRING, STARTED, TRIPPED
from grafana.substitute import VariableValues
from tests.dashboards.promql import expressions

PROMTOOL = shutil.which("promtool") or "promtool"


def test_promtool_parses_every_query(tmp_path: Path) -> None:
    asked = [*expressions(), *(("annotation", expr) for expr in (TRIPPED, FIRING, STARTED))]
    asked += [("variable", query.removeprefix("label_values(").rpartition(",")[0]) for _, query in CHOICES.values()]
    rules = [{"record": f"panel:{number}", "expr": VariableValues().substitute(expr)} for number, (_, expr) in enumerate(asked)]
    assert not [rule for rule in rules if "$" in rule["expr"]]
    (tmp_path / "panels.yml").write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}), encoding="utf-8")
    checked = subprocess.run(
        [PROMTOOL, "check", "rules", "--lint=none", "panels.yml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert f"{len(rules)} rules found" in checked.stdout
