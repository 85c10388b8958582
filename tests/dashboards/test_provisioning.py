"""What Grafana finds when it starts."""

from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # PyYAML comes without types

PROVISIONING = Path(__file__).parents[2] / "grafana/provisioning"


def read(name: str) -> Any:  # noqa: ANN401  # YAML has no narrower type
    return yaml.safe_load((PROVISIONING / name).read_text(encoding="utf-8"))


def test_an_exemplar_leads_to_its_event_in_the_cockpit() -> None:
    (source,) = read("datasources/prometheus.yml")["datasources"]
    (destination,) = source["jsonData"]["exemplarTraceIdDestinations"]
    assert source["type"] == "prometheus"
    assert destination["name"] == "event_id"
    assert destination["url"].endswith("/events/$${__value.raw}")


def test_the_dashboards_are_read_from_files_and_cannot_be_changed_in_the_browser() -> None:
    (provider,) = read("dashboards/muster.yml")["providers"]
    assert provider["type"] == "file"
    assert provider["allowUiUpdates"] is False
    assert provider["disableDeletion"] is True
