"""Which rows the decisions of a batch read, told from its commands alone."""

from collections.abc import Iterable
from functools import singledispatch

from service.domain import commands as c
from service.domain import ids

UnitId = tuple[ids.CampaignName, ids.UnitKey]


class ReadSet:
    """Keys of rows to load.

    *ending* and *failing* are tokens whose report may settle the children, or touch the whole descent, of their unit; *below*
    are units whose descent matters, *lifted* those of them whose descent may come back; *bound* is what an import says of
    dependencies; *edited* are campaigns whose policy may change, *cancelled* those whose open units go in rounds; *judged* are
    workers whose claims matter, *fenced* those whose claims end; *abandoned* are campaigns whose claims may all be dead,
    *declined* plans whose campaign ends; *spreads* are units of which more dependents learn what became of them. *planned* are
    the campaigns that have an open plan: no command names them, and seldom is there one.
    """

    def __init__(self, commands: Iterable[c.Command], planned: Iterable[ids.CampaignName] = ()) -> None:
        self.planned = set(planned)
        self.tokens: set[ids.Token] = set()
        self.units: set[UnitId] = set()
        self.ending: set[ids.Token] = set()
        self.failing: set[ids.Token] = set()
        self.below: set[UnitId] = set()
        self.lifted: set[UnitId] = set()
        self.bound: dict[UnitId, tuple[ids.UnitKey, ...]] = {}
        self.campaigns: set[ids.CampaignName] = set()
        self.edited: set[ids.CampaignName] = set()
        self.cancelled: set[ids.CampaignName] = set()
        self.workers: set[ids.WorkerId] = set()
        self.judged: set[ids.WorkerId] = set()
        self.fenced: set[ids.WorkerId] = set()
        self.quotas: set[ids.QuotaKey] = set()
        self.every_quota = False
        self.investigations: set[ids.InvestigationId] = set()
        self.recoveries: set[ids.RecoveryId] = set()
        self.declined: set[ids.RecoveryId] = set()
        self.abandoned: set[ids.CampaignName] = set()
        self.spreads: set[UnitId] = set()
        self.claims: list[c.ClaimWork] = []
        for command in commands:
            note(command, self)


@singledispatch
def note(command: c.Command, needs: ReadSet) -> None:
    """Add to *needs* what *command* reads; one that reads the engine alone adds nothing."""


@note.register
def _(command: c.Report, needs: ReadSet) -> None:
    needs.tokens.add(command.token)
    if isinstance(command, c.CompleteUnit):
        needs.ending.add(command.token)
    elif not isinstance(command, c.RecordHeartbeat) or command.idle:
        needs.failing.add(command.token)


@note.register
def _(command: c.ClaimWork, needs: ReadSet) -> None:
    needs.claims.append(command)
    needs.campaigns.update(command.campaigns)
    needs.workers.add(command.worker)


@note.register
def _(command: c.UnitCommand, needs: ReadSet) -> None:
    unit = (command.campaign, command.key)
    needs.campaigns.add(command.campaign)
    needs.units.add(unit)
    needs.below.add(unit)
    if isinstance(command, c.RetryUnit):
        needs.lifted.add(unit)


@note.register
def _(command: c.AddUnits, needs: ReadSet) -> None:
    needs.campaigns.add(command.campaign)
    needs.units.update((command.campaign, key) for spec in command.units for key in (spec.key, *spec.depends_on))
    needs.bound |= {(command.campaign, spec.key): spec.depends_on for spec in command.units if spec.depends_on}


@note.register
def _(command: c.ClearQuarantine, needs: ReadSet) -> None:
    units = [(command.campaign, key) for key in command.keys]
    needs.campaigns.add(command.campaign)
    needs.units.update(units)
    needs.below.update(units)
    needs.lifted.update(units)


@note.register
def _(command: c.ReleaseRetries | c.ResumeParked, needs: ReadSet) -> None:
    needs.campaigns.add(command.campaign)
    needs.units.update((command.campaign, key) for key in command.keys)


@note.register
def _(command: c.FanOutUnits, needs: ReadSet) -> None:
    needs.campaigns.update(campaign for campaign, _ in command.units)
    needs.units.update(command.units)
    needs.spreads.update(command.units)


@note.register
def _(command: c.ExpireLeases | c.RevokeClaims, needs: ReadSet) -> None:
    needs.tokens.update(command.tokens)
    needs.failing.update(command.tokens)


@note.register
def _(command: c.CancelCampaign, needs: ReadSet) -> None:
    needs.campaigns.add(command.name)
    needs.cancelled.add(command.name)


@note.register
def _(command: c.CancelRest, needs: ReadSet) -> None:
    needs.campaigns.add(command.name)
    needs.units.update((command.name, key) for key in command.keys)


@note.register
def _(command: c.PauseCampaign | c.ResumeCampaign | c.ResetBreaker, needs: ReadSet) -> None:
    needs.campaigns.add(command.name)


@note.register
def _(command: c.CreateCampaign | c.EditCampaign, needs: ReadSet) -> None:
    needs.campaigns.add(command.name)
    needs.edited.add(command.name)
    quota = command.quota if isinstance(command, c.CreateCampaign) else command.patch.get("quota")
    if isinstance(quota, str):
        needs.quotas.add(ids.QuotaKey(quota))


@note.register
def _(command: c.BeatWorker | c.DrainWorker | c.FenceWorker, needs: ReadSet) -> None:
    needs.workers.add(command.worker)
    if isinstance(command, c.FenceWorker):
        needs.fenced.add(command.worker)


@note.register
def _(command: c.JudgeWorkers, needs: ReadSet) -> None:
    needs.workers.update(command.workers)
    needs.judged.update(command.workers)


@note.register
def _(command: c.RecordReading | c.EditQuota, needs: ReadSet) -> None:
    needs.quotas.add(command.quota)


@note.register
def _(command: c.OpenGates, needs: ReadSet) -> None:
    needs.quotas.update(command.quotas)


@note.register
def _(_command: c.TickEngine, needs: ReadSet) -> None:
    needs.every_quota = True


@note.register
def _(command: c.ConcludeInvestigation, needs: ReadSet) -> None:
    needs.investigations.add(command.id)


@note.register
def _(command: c.EndInvestigations, needs: ReadSet) -> None:
    needs.investigations.update(command.ids)


@note.register
def _(command: c.DetectRecovery, needs: ReadSet) -> None:
    needs.campaigns.add(command.campaign)
    needs.abandoned.add(command.campaign)


@note.register
def _(command: c.RecoveryCommand, needs: ReadSet) -> None:
    needs.recoveries.add(command.id)
    if isinstance(command, c.DeclineRecovery):
        needs.declined.add(command.id)


@note.register
def _(command: c.CloseRecoveries, needs: ReadSet) -> None:
    needs.recoveries.update(command.ids)


@note.register
def _(command: c.ExportDiagnostic, needs: ReadSet) -> None:
    needs.campaigns.add(command.campaign)
