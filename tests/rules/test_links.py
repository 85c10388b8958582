"""The links of the alerts lead to dashboards that exist, with variables that they have."""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from ops.rules.groups import ALERTS
from ops.rules.rule import GRAFANA, Alert

DASHBOARDS = Path(__file__).parents[2] / "grafana" / "dashboards"


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule.key)
def test_the_dashboard_of_an_alert_exists_and_can_be_narrowed_to_its_subject(rule: Alert) -> None:
    link = urlsplit(rule.annotations["dashboard_url"])
    assert f"{link.scheme}://{link.netloc}" == GRAFANA
    dashboard = json.loads((DASHBOARDS / f"{link.path.removeprefix('/d/')}.json").read_text(encoding="utf-8"))
    assert link.path == f"/d/{dashboard['uid']}"
    variables = {f"var-{variable['name']}" for variable in dashboard["templating"]["list"]}
    assert set(parse_qs(link.query)) <= variables
