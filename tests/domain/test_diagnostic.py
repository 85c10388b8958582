"""Diagnostics: who may take a bundle, and how often."""

from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.domain.rejections import Conflict, NotFound
from tests.domain.scenario import NIGHT, after, campaign, fact, given

DIGEST = "5c" * 32
TAKING = c.ExportDiagnostic(campaign=NIGHT, sha256=DIGEST)


def test_a_bundle_leaves_a_fact_with_its_digest() -> None:
    """B-DIAG-1."""
    story = given(campaign())
    version = story.campaign().version
    story.when(TAKING).then(fact(e.DiagnosticExported, campaign=NIGHT, by="me", sha256=DIGEST, forced=False))
    assert story.campaign().version == version


def test_a_second_bundle_within_60_seconds_needs_a_will() -> None:
    """B-DIAG-1."""
    story = given(campaign(), TAKING, after(seconds=59, milliseconds=999))
    story.when(TAKING).refused(Conflict, field="force").recorded()
    story.when(c.ExportDiagnostic(campaign=NIGHT, sha256=DIGEST, force=True)).then(fact(e.DiagnosticExported, forced=True))
    story.given(after(seconds=59)).when(TAKING).refused(Conflict)
    story.given(after(seconds=1)).when(TAKING).then(fact(e.DiagnosticExported))


def test_each_campaign_has_its_own_minute() -> None:
    """B-DIAG-1."""
    other = c.ExportDiagnostic(campaign=ids.CampaignName("other"), sha256=DIGEST)
    given(campaign(), campaign("other"), TAKING).when(other).then(fact(e.DiagnosticExported, campaign="other"))


def test_an_unknown_campaign_has_no_bundle() -> None:
    """B-DIAG-1."""
    given().when(TAKING).refused(NotFound, field="campaign").recorded()
