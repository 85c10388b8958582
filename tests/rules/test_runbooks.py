"""Each alert has its page, and what the pages tell to type exists."""

import re
from pathlib import Path

import pytest

from ops.rules.groups import ALERTS
from ops.rules.recording import RECORDINGS
from ops.rules.rule import RUNBOOKS, Alert
from projections.measures.catalogue import CATALOGUE
from service.domain.events import EVENTS
from service.settings import Settings

FOLDER = Path(__file__).parents[2] / "ops" / "runbooks"
PAGES = {page.stem: page.read_text(encoding="utf-8") for page in sorted(FOLDER.glob("Muster*.md"))}
SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]

# The paths of the REST contract that a person on call may need, with the methods that they take.
CONTRACT = {
    "/healthz": "GET",
    "/readyz": "GET",
    "/metrics": "GET",
    "/v1/campaigns": "GET POST",
    "/v1/campaigns/NAME": "GET PATCH",
    "/v1/campaigns/NAME/pause": "POST",
    "/v1/campaigns/NAME/resume": "POST",
    "/v1/campaigns/NAME/cancel": "POST",
    "/v1/campaigns/NAME/breaker/reset": "POST",
    "/v1/campaigns/NAME/retry-failed": "POST",
    "/v1/campaigns/NAME/units": "GET POST",
    "/v1/campaigns/NAME/units/KEY": "GET",
    "/v1/campaigns/NAME/units/KEY/events": "GET",
    "/v1/campaigns/NAME/units/KEY/explain": "GET",
    "/v1/campaigns/NAME/units/KEY/retry": "POST",
    "/v1/campaigns/NAME/units/KEY/park": "POST",
    "/v1/campaigns/NAME/units/KEY/unpark": "POST",
    "/v1/campaigns/NAME/units/KEY/quarantine": "POST",
    "/v1/campaigns/NAME/units/KEY/cancel": "POST",
    "/v1/campaigns/NAME/units/KEY/stop": "POST",
    "/v1/campaigns/NAME/quarantine": "GET",
    "/v1/campaigns/NAME/waves": "GET",
    "/v1/campaigns/NAME/workers": "GET",
    "/v1/campaigns/NAME/heartbeats": "GET",
    "/v1/campaigns/NAME/result": "GET",
    "/v1/campaigns/NAME/diagnostics": "POST",
    "/v1/workers": "GET",
    "/v1/workers/WORKER": "GET",
    "/v1/workers/WORKER/drain": "POST",
    "/v1/workers/WORKER/fence": "POST",
    "/v1/engine": "GET PATCH",
    "/v1/engine/pause": "POST",
    "/v1/engine/resume": "POST",
    "/v1/engine/tick": "POST",
    "/v1/quotas": "GET",
    "/v1/quotas/QUOTA": "GET PATCH",
    "/v1/quotas/QUOTA/readings": "POST",
    "/v1/recovery": "GET",
    "/v1/events": "GET",
}
# In the specification and not yet in the catalogue: to go as soon as they are.
AWAITED = {
    "muster_metrics_dropped_entities",
    "muster_metrics_series",
    "muster_otlp_exports_total",
    "muster_otlp_last_success_timestamp_seconds",
    "muster_otlp_points_total",
    "muster_projection_rebuild_ratio",
    "muster_db_operation_duration_seconds",
    "muster_retries_overdue",
    "muster_wave_duration_seconds",
}
KNOWN = {*CATALOGUE, *AWAITED}
CALL = re.compile(r"""^curl -si? (?P<options>.*?)"\$MUSTER(?P<path>/[^"?]*)(?:\?(?P<query>[^"]*))?\"""", re.MULTILINE)


def stem(metric: str) -> str:
    """Return the family of a series."""
    return re.sub(r"_(bucket|count|sum)$", "", metric)


def methods(options: str) -> str:
    """Return the method that curl uses."""
    return "PATCH" if "-X PATCH" in options else "POST" if "--json" in options else "GET"


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    assert set(PAGES) == {rule.name for rule in ALERTS}


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule.key)
def test_the_link_of_an_alert_leads_to_its_page(rule: Alert) -> None:
    folder, _, page = rule.annotations["runbook_url"].rpartition("/")
    assert folder == RUNBOOKS
    assert (FOLDER / page).is_file()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_what_it_means_what_it_costs_how_to_see_why_and_what_to_do(name: str) -> None:
    text = PAGES[name]
    assert text.startswith(f"# {name}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    for section in re.split(r"^## .+$", text, flags=re.MULTILINE)[1:]:
        assert len(section.strip()) > 40 or "```" in section, section
    assert CALL.search(text), "no exact call"
    assert text.count("```") % 2 == 0
    assert text.count("$MUSTER/") == len(CALL.findall(text)), "a call that this test cannot read"


@pytest.mark.parametrize("name", PAGES)
def test_every_call_on_a_page_is_in_the_contract(name: str) -> None:
    for call in CALL.finditer(PAGES[name]):
        assert methods(call["options"]) in CONTRACT.get(call["path"], "").split(), call[0]


def test_every_event_metric_and_setting_on_a_page_exists() -> None:
    kinds = {event.kind for event in EVENTS}
    settings = {f"MUSTER_{name.upper()}" for name in Settings.__struct_fields__}
    for name, text in PAGES.items():
        assert set(re.findall(r"[?&]kind=([\w.]+)", text)) <= kinds, name
        assert set(re.findall(r"\bMUSTER_[A-Z_]+", text)) <= settings, name
        for metric in re.findall(r"\bmuster_\w+", text):
            assert any(family.startswith(stem(metric)) for family in KNOWN), f"{name}: {metric}"


def test_every_metric_of_a_rule_is_in_the_catalogue() -> None:
    read = " ".join([*(rule.promql for rule in ALERTS), *(rule.promql for rule in RECORDINGS)])
    assert {stem(metric) for metric in re.findall(r"(?<![:\w])muster_\w+", read)} <= KNOWN


def test_every_link_between_pages_leads_somewhere() -> None:
    for name, text in PAGES.items():
        assert set(re.findall(r"\]\((\w+)\.md\)", text)) <= set(PAGES), name
