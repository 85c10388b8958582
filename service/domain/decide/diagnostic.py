"""Decisions about diagnostic bundles: how often one may be taken."""

from datetime import timedelta

from service.domain import events as e
from service.domain.commands import DecisionContext, ExportDiagnostic
from service.domain.decide.decision import Decider, Deciders, Decision, campaign_named
from service.domain.events import Fact
from service.domain.read_set import ReadSet
from service.domain.rejections import Conflict
from service.domain.state import State

REST = timedelta(seconds=60)
"""The time after a bundle in which a second one of the same campaign needs *force*."""


def export(state: State, command: ExportDiagnostic, context: DecisionContext) -> Decision[None]:
    """Note the bundle, unless one was taken just now.

    Raises:
        Conflict: when a bundle was taken within the last minute and *force* is not set.

    """
    campaign = campaign_named(state, command.campaign)
    last = campaign.exported_at
    fresh = last is not None and context.at - last < REST
    if last is not None and fresh and not command.force:
        raise Conflict(
            f"a bundle of {campaign.name!r} was taken less than {REST.total_seconds():.0f} s ago; ask with force",
            field="force",
            current=last.isoformat(),
            allowed=[True],
        )
    yield Fact(e.DiagnosticExported(by=context.actor, sha256=command.sha256, forced=fresh), campaign.name)


def reads_export(command: ExportDiagnostic) -> ReadSet:
    """Return the campaign, which knows when a bundle of it was last taken."""
    return ReadSet(campaigns=(command.campaign,))


DECIDERS: Deciders = {ExportDiagnostic: Decider(export, reads_export)}
