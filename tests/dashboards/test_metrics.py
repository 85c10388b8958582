"""Every query asks for what exists, and everything that exists is asked for."""

import re
from pathlib import Path

import pytest

from grafana.build import BOARDS
from ops.rules.notation import FOLD
from tests.dashboards.promql import FOREIGN, SCRAPED, expressions, families, family_of, groupings, labels_of, selectors

ROOT = Path(__file__).parents[2]
RULES = sorted((ROOT / "ops/prometheus").glob("*.yml"))
RECORDED = re.compile(r"(?:job|campaign):muster_[\w:]+")
KNOWN = families()
# A counter's bare value tells when it last restarted, except where the whole life of a campaign is meant.
BARE_COUNTERS = {"muster-campaign: Finished units"}
every_expression = pytest.mark.parametrize(("where", "expr"), list(expressions()))


@every_expression
def test_every_selector_keeps_to_the_chosen_job(where: str, expr: str) -> None:
    assert selectors(expr), where
    assert all(selector.matchers.get("job") == "$job" for selector in selectors(expr)), where
    assert not re.search(r"\bmuster_\w+(?![\w:{])", expr.replace(" ", "")), where


@every_expression
def test_every_metric_is_in_the_catalogue_or_recorded(where: str, expr: str) -> None:
    recorded = {name for path in RULES for name in re.findall(r"record: *['\"]?([\w:]+)", path.read_text(encoding="utf-8"))}
    for selector in selectors(expr):
        if RECORDED.fullmatch(selector.name):
            assert selector.name in recorded, where
        else:
            assert selector.name in FOREIGN or family_of(selector.name, KNOWN) in KNOWN, (where, selector.name)


@every_expression
def test_every_label_belongs_to_its_metric(where: str, expr: str) -> None:
    for selector in selectors(expr):
        if not RECORDED.fullmatch(selector.name):
            assert selector.matchers.keys() <= labels_of(selector.name, KNOWN), (where, selector)
    for labels, inside in groupings(expr):
        for selector in inside:
            if not RECORDED.fullmatch(selector.name):
                assert labels <= labels_of(selector.name, KNOWN), (where, labels, selector.name)


@every_expression
def test_counters_are_shown_as_rates_or_increases(where: str, expr: str) -> None:
    for selector in selectors(expr):
        if selector.name.endswith(("_total", "_bucket", "_count")) and where not in BARE_COUNTERS:
            before = expr[: expr.index(selector.name + "{")]
            assert before.endswith(("rate(", "increase(")), (where, selector.name)


@every_expression
def test_fleet_metrics_are_taken_once_however_many_replicas_there_are(where: str, expr: str) -> None:
    per_replica = {"muster_metrics_fold_position"}
    for selector in selectors(expr):
        family = KNOWN.get(family_of(selector.name, KNOWN))
        if family is None or family.scope == "P" or family.name in per_replica:
            continue
        before = expr[: expr.index(selector.name + "{")]
        assert before.removesuffix("rate(").removesuffix("increase(").endswith(f"{FOLD} ("), (where, selector.name)


def test_every_family_is_on_a_panel_or_in_a_rule() -> None:
    asked = " ".join(expr for _, expr in expressions()) + " ".join(path.read_text(encoding="utf-8") for path in RULES)
    names = set(re.findall(r"\bmuster_\w+", asked))
    used = {family_of(name, KNOWN) for name in names}
    assert sorted(KNOWN.keys() - used) == []


def test_a_legend_names_only_labels_that_the_answer_has() -> None:
    for board in BOARDS:
        for panel in board.panels:
            for query in panel.queries:
                shown = set(re.findall(r"\{\{(\w+)\}\}", query.name))
                plain = [each for each in selectors(query.expr) if not RECORDED.fullmatch(each.name)]
                offered = set[str]().union(*(labels_of(each.name, KNOWN) for each in plain))
                kept = set[str]().union(*(labels for labels, _ in groupings(query.expr) if labels != SCRAPED - {"job"}))
                assert shown <= offered, (board.uid, panel.title)
                assert shown <= kept or not kept or " and on (" in query.expr, (board.uid, panel.title)
