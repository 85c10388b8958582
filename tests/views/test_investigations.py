"""What investigations, recoveries and exports add to the series."""

from projections.measures.series_store import SeriesStore
from service.domain import commands as c
from service.domain import ids
from tests.domain.scenario import NIGHT, START, Scenario, adding, after, campaign, claimed, failure, given

LOST = (campaign(investigate=True, max_attempts=1, breaker={"threshold": 9}), adding("a", "b", "c", "d"))


def lost(*keys: str) -> Scenario:
    """Return a story in which units were lost."""
    story = given(*LOST)
    for key in keys:
        story.given(claimed(key, f"t{key}"), failure(f"t{key}"))
    return story


def counted(story: Scenario, family: str) -> dict[tuple[str, ...], int]:
    """Return the counts of a family."""
    series_store = SeriesStore()
    series_store.fold(story.log)
    return {labels: row.value for (name, labels), row in series_store.series.items() if name == family}


def test_each_end_of_an_investigation_is_counted_and_timed() -> None:
    """B-INVEST-1, B-INVEST-2, B-INVEST-3."""
    story = lost("a", "b", "c", "d")
    names = list(story.state.investigations)
    story.given(c.ClaimWork(worker=ids.WorkerId("w"), max=4, kind="investigation"), after(seconds=20))
    story.given(
        c.ConcludeInvestigation(id=names[0], fix=c.Fix()),
        c.ConcludeInvestigation(id=names[1]),
        adding("c.fix"),
        c.ConcludeInvestigation(id=names[2], fix=c.Fix()),
        after(minutes=30),
        c.EndInvestigations(ids=tuple(names)),
    )
    outcomes = {("produced",): 1, ("empty",): 1, ("skipped",): 1, ("timeout",): 1}
    assert counted(story, "muster_investigations_total") == outcomes
    assert counted(story, "muster_investigation_duration_seconds") == {(): 3}


def test_nothing_was_investigated_yet() -> None:
    """B-INVEST-1: counters exist before their first increment."""
    assert set(counted(given(campaign()), "muster_investigations_total").values()) == {0}
    assert counted(given(campaign()), "muster_recovered_units_total") == {(): 0}


def test_plans_and_their_units_are_counted() -> None:
    """B-RECOV-2."""
    for order, result, units in ((c.ApplyRecovery, "applied", 2), (c.DeclineRecovery, "declined", 0)):
        story = given(*LOST, claimed("a", "ta"), claimed("b", "tb"), after(seconds=430))
        story.given(c.DetectRecovery(campaign=NIGHT, last_position=3, heard_since=START + after(seconds=400)))
        story.given(order(id=next(iter(story.state.recoveries))))
        other = "declined" if result == "applied" else "applied"
        assert counted(story, "muster_recoveries_total") == {(result,): 1, (other,): 0}
        assert counted(story, "muster_recovered_units_total") == {(): units}


def test_bundles_are_counted() -> None:
    """B-DIAG-1."""
    story = given(
        campaign(),
        c.ExportDiagnostic(campaign=NIGHT, sha256="5c"),
        c.ExportDiagnostic(campaign=NIGHT, sha256="5c", force=True),
    )
    assert counted(story, "muster_diagnostics_total") == {("exported",): 1, ("forced",): 1}
