"""Which rows the decisions of a batch read, told from its commands alone."""

from collections.abc import Iterable
from functools import singledispatch

from service.domain import commands as c
from service.domain import ids


class ReadSet:
    """Keys of rows to load.

    *ending* and *failing* are tokens whose report may settle the children, or touch the whole descent, of their unit; *below*
    are units whose descent matters, *lifted* those of them whose descent may come back; *bound* is what an import says of
    dependencies; *edited* are campaigns whose policy may change, *cancelled* those whose open units go in rounds; *judged* are
    workers whose claims matter, *fenced* those whose claims end; *abandoned* are campaigns whose claims may all be dead,
    *declined* plans whose campaign ends; *fanouts* are units of which more dependents learn what became of them. *planned* are
    the campaigns that have an open plan: no command names them, and seldom is there one.
    """

    def __init__(self, commands: Iterable[c.Command], planned: Iterable[ids.CampaignName] = ()) -> None:
        self.planned = set(planned)
        self.tokens: set[ids.Token] = set()
        self.units: set[ids.UnitId] = set()
        self.ending: set[ids.Token] = set()
        self.failing: set[ids.Token] = set()
        self.below: set[ids.UnitId] = set()
        self.lifted: set[ids.UnitId] = set()
        self.bound: dict[ids.UnitId, tuple[ids.UnitKey, ...]] = {}
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
        self.fanouts: set[ids.UnitId] = set()
        self.claims: list[c.ClaimWork] = []
        for command in commands:
            note(command, self)


@singledispatch
def note(command: c.Command, read_set: ReadSet) -> None:
    """Add to *needs* what *command* reads; one that reads the engine alone adds nothing."""


@note.register
def _(command: c.Report, read_set: ReadSet) -> None:
    read_set.tokens.add(command.token)
    if isinstance(command, c.CompleteUnit):
        read_set.ending.add(command.token)
    elif not isinstance(command, c.RecordHeartbeat) or command.idle:
        read_set.failing.add(command.token)


@note.register
def _(command: c.ClaimWork, read_set: ReadSet) -> None:
    read_set.claims.append(command)
    read_set.campaigns.update(command.campaigns)
    read_set.workers.add(command.worker)


@note.register
def _(command: c.UnitCommand, read_set: ReadSet) -> None:
    unit = (command.campaign, command.key)
    read_set.campaigns.add(command.campaign)
    read_set.units.add(unit)
    read_set.below.add(unit)
    if isinstance(command, c.RetryUnit):
        read_set.lifted.add(unit)


@note.register
def _(command: c.AddUnits, read_set: ReadSet) -> None:
    read_set.campaigns.add(command.campaign)
    read_set.units.update((command.campaign, key) for spec in command.units for key in (spec.key, *spec.depends_on))
    read_set.bound |= {(command.campaign, spec.key): spec.depends_on for spec in command.units if spec.depends_on}


@note.register
def _(command: c.ClearQuarantine, read_set: ReadSet) -> None:
    units = [(command.campaign, key) for key in command.keys]
    read_set.campaigns.add(command.campaign)
    read_set.units.update(units)
    read_set.below.update(units)
    read_set.lifted.update(units)


@note.register
def _(command: c.ReleaseRetries | c.ResumeParked, read_set: ReadSet) -> None:
    read_set.campaigns.add(command.campaign)
    read_set.units.update((command.campaign, key) for key in command.keys)


@note.register
def _(command: c.FanOutUnits, read_set: ReadSet) -> None:
    read_set.campaigns.update(campaign for campaign, _ in command.units)
    read_set.units.update(command.units)
    read_set.fanouts.update(command.units)


@note.register
def _(command: c.ExpireLeases | c.RevokeClaims, read_set: ReadSet) -> None:
    read_set.tokens.update(command.tokens)
    read_set.failing.update(command.tokens)


@note.register
def _(command: c.CancelCampaign, read_set: ReadSet) -> None:
    read_set.campaigns.add(command.name)
    read_set.cancelled.add(command.name)


@note.register
def _(command: c.CancelRest, read_set: ReadSet) -> None:
    read_set.campaigns.add(command.name)
    read_set.units.update((command.name, key) for key in command.keys)


@note.register
def _(command: c.PauseCampaign | c.ResumeCampaign | c.ResetBreaker, read_set: ReadSet) -> None:
    read_set.campaigns.add(command.name)


@note.register
def _(command: c.CreateCampaign | c.EditCampaign, read_set: ReadSet) -> None:
    read_set.campaigns.add(command.name)
    read_set.edited.add(command.name)
    quota = command.quota if isinstance(command, c.CreateCampaign) else command.patch.get("quota")
    if isinstance(quota, str):
        read_set.quotas.add(ids.QuotaKey(quota))


@note.register
def _(command: c.BeatWorker | c.DrainWorker | c.FenceWorker, read_set: ReadSet) -> None:
    read_set.workers.add(command.worker)
    if isinstance(command, c.FenceWorker):
        read_set.fenced.add(command.worker)


@note.register
def _(command: c.JudgeWorkers, read_set: ReadSet) -> None:
    read_set.workers.update(command.workers)
    read_set.judged.update(command.workers)


@note.register
def _(command: c.RecordReading | c.EditQuota, read_set: ReadSet) -> None:
    read_set.quotas.add(command.quota)


@note.register
def _(command: c.OpenGates, read_set: ReadSet) -> None:
    read_set.quotas.update(command.quotas)


@note.register
def _(_command: c.TickEngine, read_set: ReadSet) -> None:
    read_set.every_quota = True


@note.register
def _(command: c.ConcludeInvestigation, read_set: ReadSet) -> None:
    read_set.investigations.add(command.id)


@note.register
def _(command: c.EndInvestigations, read_set: ReadSet) -> None:
    read_set.investigations.update(command.ids)


@note.register
def _(command: c.DetectRecovery, read_set: ReadSet) -> None:
    read_set.campaigns.add(command.campaign)
    read_set.abandoned.add(command.campaign)


@note.register
def _(command: c.RecoveryCommand, read_set: ReadSet) -> None:
    read_set.recoveries.add(command.id)
    if isinstance(command, c.DeclineRecovery):
        read_set.declined.add(command.id)


@note.register
def _(command: c.CloseRecoveries, read_set: ReadSet) -> None:
    read_set.recoveries.update(command.ids)


@note.register
def _(command: c.ExportDiagnostic, read_set: ReadSet) -> None:
    read_set.campaigns.add(command.campaign)
