"""The dashboards as Grafana will read them."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.build import BOARDS, DASHBOARDS, stale, without
from projections.cockpit.routes import COCKPIT_ROUTES
from tests.dashboards.promql import overlap

UIDS = ["muster-campaign", "muster-failures", "muster-fleet", "muster-log", "muster-quota", "muster-service", "muster-workers"]
CORE = {"timeseries", "stat", "heatmap", "table", "state-timeline", "gauge", "bargauge", "piechart"}
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
FILES = sorted(DASHBOARDS.glob("*.json"))
PATHS = [path for handler in COCKPIT_ROUTES if "GET" in handler.http_methods for path in handler.paths]
COCKPIT = re.compile(r"\$cockpit(" + "|".join(re.sub(r"\{\w+:\w+\}", r"\$\\{[^}]+\\}", path) for path in PATHS) + r")(\?.*)?")
every_dashboard = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def read(path: Any) -> dict[str, Any]:  # noqa: ANN401  # pytest hands over what it was given
    model: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return model


def panels(model: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in model["panels"] if panel["type"] != "row"]


def links(tree: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401  # JSON has no narrower type
    """Yield everything in *tree* that leads somewhere."""
    if isinstance(tree, dict):
        if "url" in tree and "title" in tree:
            yield tree
        for value in tree.values():
            yield from links(value)
    if isinstance(tree, list):
        for value in tree:
            yield from links(value)


def test_the_committed_dashboards_are_what_the_boards_describe() -> None:
    assert stale(DASHBOARDS) == []


def test_there_are_seven_dashboards_with_at_least_150_panels() -> None:
    models = [read(path) for path in FILES]
    assert [model["uid"] for model in models] == UIDS
    assert [path.stem for path in FILES] == UIDS
    assert sum(len(panels(model)) for model in models) >= 150


@every_dashboard
def test_the_sdk_reads_a_dashboard_back_and_writes_it_equal(path: Any) -> None:  # noqa: ANN401
    register_default_plugins()
    again = json.loads(JSONEncoder().encode(Dashboard.from_json(read(path))))
    assert without(again, "placement") == read(path)


@every_dashboard
def test_panels_fill_24_columns_and_never_overlap(path: Any) -> None:  # noqa: ANN401
    places = [panel["gridPos"] for panel in read(path)["panels"]]
    assert all(place["x"] >= 0 and place["x"] + place["w"] <= 24 and place["h"] > 0 for place in places)
    assert not overlap(places)
    lines = {place["y"]: sum(other["w"] for other in places if other["y"] == place["y"]) for place in places}
    assert set(lines.values()) == {24}


@every_dashboard
def test_ids_are_unique_and_panels_of_core_types(path: Any) -> None:  # noqa: ANN401
    model = read(path)
    ids = [panel["id"] for panel in model["panels"]]
    assert len(ids) == len(set(ids))
    assert all(isinstance(number, int) and number > 0 for number in ids)
    assert {panel["type"] for panel in panels(model)} <= CORE


@every_dashboard
def test_every_panel_says_what_it_means_and_what_to_do(path: Any) -> None:  # noqa: ANN401
    for panel in panels(read(path)):
        words = panel["description"].split()
        assert len(words) >= 20, panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["title"].strip(), panel["id"]


def test_no_two_panels_share_a_description() -> None:
    said = [panel.description for board in BOARDS for panel in board.panels]
    assert len(said) == len(set(said))


@every_dashboard
def test_every_panel_and_query_asks_the_chosen_data_source(path: Any) -> None:  # noqa: ANN401
    model = read(path)
    for panel in panels(model):
        assert panel["datasource"] == SOURCE, panel["title"]
        assert panel["targets"], panel["title"]
        assert all(target["datasource"] == SOURCE for target in panel["targets"]), panel["title"]
        letters = [target["refId"] for target in panel["targets"]]
        assert len(letters) == len(set(letters)), panel["title"]
    assert all(mark["datasource"] == SOURCE for mark in model["annotations"]["list"])


@every_dashboard
def test_variables_come_in_order_and_are_asked_anew_for_each_range(path: Any) -> None:  # noqa: ANN401
    variables = read(path)["templating"]["list"]
    names = [variable["name"] for variable in variables]
    assert names[:2] == ["datasource", "job"]
    assert names[-1] == "cockpit"
    assert set(names[2:-1]) <= {"campaign", "worker", "instance"}
    assert variables[0]["type"] == "datasource"
    assert variables[0]["label"] == "Data source"
    assert variables[-1]["type"] == "textbox"
    assert all(variable["refresh"] == 2 for variable in variables if variable["type"] == "query")


@every_dashboard
def test_a_dashboard_uses_no_variable_that_it_does_not_have(path: Any) -> None:  # noqa: ANN401
    model = read(path)
    names = {variable["name"] for variable in model["templating"]["list"]}
    asked = " ".join(target["expr"] for panel in panels(model) for target in panel["targets"])
    for name in ("campaign", "worker", "instance"):
        assert (f'"${name}"' in asked) == (name in names), name


@every_dashboard
def test_dashboards_lead_to_each_other_and_to_the_cockpit(path: Any) -> None:  # noqa: ANN401
    others, cockpit = read(path)["links"]
    assert (others["title"], others["type"], others["tags"]) == ("Muster dashboards", "dashboards", ["muster"])
    assert others["asDropdown"]
    assert others["includeVars"]
    assert others["keepTime"]
    assert cockpit["url"].startswith("$cockpit/")


@every_dashboard
def test_a_link_leads_to_the_cockpit_or_to_a_dashboard_that_exists(path: Any) -> None:  # noqa: ANN401
    for link in links(read(path)):
        url = link["url"]
        known = any(url.startswith(f"/d/{uid}?") for uid in UIDS) or COCKPIT.fullmatch(url)
        assert known, url
        assert "var-campaign=" in url or url.startswith("$cockpit/"), url


@every_dashboard
def test_trips_alerts_and_starts_are_marked_on_the_plots(path: Any) -> None:  # noqa: ANN401
    marks = read(path)["annotations"]["list"]
    assert [mark["name"] for mark in marks] == ["Safety cap tripped", "Firing alerts", "Replica started"]
    assert all('job=~"$job"' in mark["expr"] for mark in marks)


@every_dashboard
def test_a_dashboard_is_read_only_tagged_and_shares_its_crosshair(path: Any) -> None:  # noqa: ANN401
    model = read(path)
    assert model["editable"] is False
    assert model["tags"] == ["muster"]
    assert model["graphTooltip"] == 1


def test_an_alert_leads_to_a_dashboard_and_a_variable_that_exist() -> None:
    alerts = (DASHBOARDS.parents[1] / "ops/prometheus/muster.alerts.yml").read_text(encoding="utf-8")
    boards = {board.uid: board.chooses for board in BOARDS}
    led = re.findall(r"dashboard_url: .*/d/([\w-]+)(?:\?var-(\w+)=)?", alerts)
    assert led
    assert [(uid, variable) for uid, variable in led if uid not in boards or variable not in ("", boards[uid])] == []


@pytest.mark.parametrize(
    ("uid", "row", "title", "kind"),
    [
        ("muster-failures", "Waves", "Wave duration", "heatmap"),
        ("muster-failures", "Failures", "Sub-task states", "piechart"),
        ("muster-failures", "Now", "Retry success", "gauge"),
    ],
)
def test_the_three_panels_that_people_ask_for_by_name_are_there(uid: str, row: str, title: str, kind: str) -> None:
    there = {(board.uid, each.title, panel.title): panel.kind for board in BOARDS for each in board.rows for panel in each.panels}
    assert there[uid, row, title] == kind
