"""`make prove-numbers`: what it counts by itself is what the fold counts, and one number that is off is found."""

import subprocess
import sys
from pathlib import Path

import asyncpg
import httpx
import pytest

from ops.prove.families import FAMILIES
from ops.prove.formula import Total
from ops.prove.source import UNPROVEN, proven
from ops.prove.tables import SPANS, counted
from projections.measures.catalogue import CATALOGUE
from projections.measures.series_store import SeriesStore
from projections.projector import ProjectionState
from projections.store import Checkpoint
from projections.views.fold import ReadModels
from service.store.log import event_log
from tests.histories import History
from tests.patience import PATIENCE_S
from tests.service import Program, free_port

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("seed", [5, 23, 71])
async def test_sql_counts_what_the_fold_counts(dsn: str, seed: int) -> None:
    """A6, over histories that see nearly everything."""
    fold = ProjectionState(Checkpoint(0, 0, 0), ReadModels(), SeriesStore())
    history = History(seed).grow(700)
    owner = await asyncpg.connect(dsn)
    try:
        for event in history.events:
            await event_log.append(owner, [event])
        fold.take(history.events)
        found = await counted(owner, len(history.events))
    finally:
        await owner.close()
    for name in (*FAMILIES, *SPANS[:-1]):
        folded = {
            labels: Total(series.value, series.sum_us)
            for (family, labels), series in fold.series_store.series.items()
            if family == name and series.value
        }
        assert {labels: total for labels, total in found[name].items() if total.count} == folded, name
    waves = {(name,): Total(card.wave) for name, card in fold.cards.campaigns.items() if card.wave}
    assert found["muster_campaign_wave"] == waves


def test_every_fleet_family_is_proven_or_names_a_reason() -> None:
    """A6."""
    fleet = [name for name, family in CATALOGUE.items() if family.scope != "P"]
    assert sorted([*proven(), *UNPROVEN]) == sorted(fleet)


def prove(url: str, dsn: str) -> subprocess.CompletedProcess[str]:
    """Run the command as `make` does."""
    words = [sys.executable, "-m", "ops.prove", "--url", url, "--dsn", dsn]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_S)


def work(url: str) -> None:
    """Let a service see a bit of everything."""
    with httpx.Client(base_url=url, timeout=PATIENCE_S, trust_env=False) as client:

        def post(path: str, **body: object) -> dict[str, list[dict[str, str]]]:
            answered: dict[str, list[dict[str, str]]] = client.post(path, json=body).raise_for_status().json()
            return answered

        policy = {"max_attempts": 1, "breaker": {"threshold": 2}, "concurrency": 9}
        units = [{"key": f"u{number}"} for number in range(6)] + [{"key": "late", "depends_on": ["u0"]}]
        post("/v1/campaigns", name="night", policy=policy, quota="q", units=units)
        tokens = [claim["token"] for claim in post("/v1/claims", worker="w", max=5)["claims"]]
        said = [
            {"type": "heartbeat", "token": tokens[2]},
            *({"type": "failed", "token": token, "reason": "crash", "error": "exit 1"} for token in tokens[:2]),
            {"type": "parked", "token": tokens[3], "reason": "rate_limit"},
            {"type": "completed", "token": tokens[2]},
        ]
        post("/v1/reports", worker="w", reports=said)
        post("/v1/campaigns/night/units/u0/retry")


async def test_the_table_is_drawn_of_a_running_service_and_a_number_that_is_off_ends_it_with_1(dsn: str) -> None:
    with Program("serve", "--dsn", dsn, "--port", str(free_port())) as program:
        url = program.url()
        work(url)
        proven = prove(url, dsn)
        assert proven.returncode == 0, proven.stdout + proven.stderr
        assert "81 of 81 families are equal" in proven.stdout
        owner = await asyncpg.connect(dsn)
        await owner.execute("UPDATE series SET value = value + 1 WHERE family = 'muster_quarantines_total'")
        await owner.close()
        refuted = prove(url, dsn)
        assert refuted.returncode == 1
        assert [line.split()[0] for line in refuted.stdout.splitlines() if line.endswith("NO")] == ["muster_quarantines_total"]
