"""Every event has its way: into a card, into a series, or past them on purpose."""

import pytest

from projections.measures import measure as measures
from projections.measures.catalogue import CATALOGUE
from projections.views.fold import DISPATCH
from service.domain import events as e

PAST = {e.EngineSwept, e.LogTrimmed, e.LateResult, e.ProjectionSwapped, e.UnitFanout}
"""What no card shows, beside investigations and bundles, which the state alone knows."""
UNCOUNTED = {
    e.CampaignEdited, e.EnginePaused, e.EngineResumed, e.EngineResized, e.EngineSwept, e.LogTrimmed, e.QuotaPolicyChanged,
    e.QuotaRead, e.QuotaReadFailed, e.UnitsUpdated, e.UnitFanout, e.WorkerDraining, e.WorkerFenced,
    e.InvestigationClaimed, e.InvestigationRequested, e.RecoveryClosed, e.RecoveryDetected,
    e.ProjectionSwapped,
}  # fmt: skip
"""What is counted by its kind alone."""


@pytest.mark.parametrize("kind", e.EVENTS, ids=lambda kind: kind.kind)
def test_every_event_is_shown_or_known_not_to_be(kind: type[e.Event]) -> None:
    dispatch = DISPATCH[kind]
    assert (dispatch.campaign is not None or dispatch.worker is not None or dispatch.rare) == (
        kind not in PAST and not kind.kind.startswith(("investigation.", "diagnostic."))
    )


@pytest.mark.parametrize("kind", e.EVENTS, ids=lambda kind: kind.kind)
def test_every_event_is_counted_or_known_to_be_counted_by_kind_alone(kind: type[e.Event]) -> None:
    assert (kind in measures.MEASURES) == (kind not in UNCOUNTED)


def test_what_a_family_folds_from_are_kinds_of_events() -> None:
    kinds = {event.kind for event in e.EVENTS}
    assert {kind for family in CATALOGUE.values() for kind in family.events} <= kinds
