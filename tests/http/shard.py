"""A shard in memory: the real decisions on a state that no database holds, behind the interface of the Writer."""

from collections import deque
from collections.abc import Sequence
from copy import copy
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from random import Random

import msgspec
from msgspec import Raw

from service.bulk_retry import QuarantineFilter
from service.domain import ids
from service.domain.commands import Command, DecisionContext
from service.domain.decide import decide
from service.domain.events import Recorded
from service.domain.rejections import Rejection, Unprocessable, WriteUnavailable
from service.domain.state import State
from service.domain.unit import Claim
from service.submission import Answer, Origin
from service.wakeup import Wakeup

START = datetime(2026, 1, 1, tzinfo=UTC)


class Shard:
    """The Writer, the views and the kept answers of one test."""

    def __init__(self) -> None:
        self.state = State()
        self.log: list[Recorded] = []
        self.origins: list[Origin] = []
        self.commands: list[Command] = []
        self.kept: dict[str, tuple[bytes, int, bytes | None]] = {}
        self.claims: dict[ids.Token, Claim] = {}
        self.screens: dict[str, str] = {}
        self.wakeup = Wakeup()
        self.away = False
        self.chance = Random(1)
        self.at = START
        self.failure: Exception | None = None

    async def submit(self, commands: Sequence[Command], origin: Origin) -> Answer:
        """Decide as the Writer does."""
        if self.away:
            raise WriteUnavailable("the database is away")
        if self.failure is not None:
            raise self.failure
        self.origins.append(origin)
        past = self.kept.get(origin.key) if origin.key is not None else None
        if past is not None and past[0] != origin.digest:
            refusal = Unprocessable("this Idempotency-Key was used with another request", field="Idempotency-Key")
            return Answer(position=len(self.log), results=(refusal,) * len(commands))
        if past is not None:
            return Answer(position=past[1], replayed=True, body=past[2])
        answer = self.decided(commands, origin)
        self.screens |= origin.screens
        if origin.key is not None and not all(isinstance(result, Rejection) for result in answer.results):
            body = origin.render(answer) if origin.render is not None else None
            if body is not None or origin.render is None:
                self.kept[origin.key] = (origin.digest, answer.position, body)
        return answer

    def decided(self, commands: Sequence[Command], origin: Origin) -> Answer:
        """Decide commands one after the other."""
        self.at += timedelta(milliseconds=1)
        before = len(self.log)
        results = tuple(self.result(command, origin) for command in commands)
        if len(self.log) > before:
            self.wakeup.notify()
        return Answer(position=len(self.log), results=results)

    def result(self, command: Command, origin: Origin) -> object:
        """Decide one command on everything there is."""
        self.commands.append(command)
        ready = [(unit.group, -unit.priority, unit.seq, unit) for unit in self.state.units.values() if unit.state == "ready"]
        self.state.candidates = {name: deque() for name in self.state.campaigns}
        for *_, unit in sorted(ready, key=lambda row: row[:3]):
            self.state.candidates[unit.campaign].append(unit.key)
        moment = DecisionContext(self.at, len(self.log), origin.actor, self.chance.random)
        self.state.ended_claims = {token: claim for token, claim in self.claims.items() if token not in self.state.claims}
        outcome = decide(self.state, command, moment)
        self.claims |= {token: copy(claim) for token, claim in self.state.claims.items()}
        self.log += outcome.events
        return outcome.reply if outcome.rejection is None else outcome.rejection

    async def keep(self, key: str, status: int, body: bytes) -> None:
        """Keep the body of a first answer."""
        assert status in (200, 201)
        digest, position, _ = self.kept[key]
        self.kept[key] = (digest, position, body)

    async def keys(
        self, campaign: ids.CampaignName, where: QuarantineFilter, after: ids.UnitKey | None, limit: int
    ) -> list[ids.UnitKey]:
        """Return quarantined units."""
        found = [unit for unit in self.state.units.values() if unit.campaign == campaign and unit.state == "quarantined"]
        keys = [
            unit.key
            for unit in found
            if (where.reason is None or unit.reason == where.reason)
            and (where.error_glob is None or fnmatchcase((unit.error or "").lower(), where.error_glob.lower()))
        ]
        return [key for key in sorted(keys) if after is None or key > after][:limit]

    async def campaign(self, name: ids.CampaignName, at_least: int | None) -> Raw | None:
        """Return a campaign."""
        campaign = self.state.campaigns.get(name)
        if campaign is None:
            return None
        counts = msgspec.to_builtins(campaign.counts)
        return self.view(
            at_least,
            name=name,
            state=campaign.state,
            version=campaign.version,
            units=counts,
            title=campaign.title,
            labels=campaign.labels,
        )

    async def unit(self, campaign: ids.CampaignName, key: ids.UnitKey, at_least: int | None) -> Raw | None:
        """Return a unit."""
        unit = self.state.units.get((campaign, key))
        return None if unit is None else self.view(at_least, key=key, state=unit.state)

    async def worker(self, worker: ids.WorkerId, at_least: int | None) -> Raw | None:
        """Return a worker."""
        row = self.state.workers.get(worker)
        return None if row is None else self.view(at_least, worker=worker, state=row.state)

    async def engine(self, at_least: int | None) -> Raw:
        """Return the engine."""
        engine = self.state.engine
        return self.view(at_least, state="running" if engine.paused_at is None else "paused", pool={"size": engine.pool_size})

    async def quota(self, key: ids.QuotaKey, at_least: int | None) -> Raw | None:
        """Return a quota."""
        quota = self.state.quotas.get(key)
        if quota is None:
            return None
        gate = "open" if quota.open else "closed"
        return self.view(at_least, key=key, gate=gate, policy=msgspec.to_builtins(quota.policy))

    async def investigation(self, known: ids.InvestigationId, at_least: int | None) -> Raw | None:
        """Return an investigation."""
        row = self.state.investigations.get(known)
        return None if row is None else self.view(at_least, id=row.id, state=row.state, fix_unit=row.fix_unit)

    async def recovery(self, known: ids.RecoveryId, at_least: int | None) -> Raw | None:
        """Return a recovery plan."""
        row = self.state.recoveries.get(known)
        return None if row is None else self.view(at_least, id=row.id, state=row.state)

    async def bundle(self, campaign: ids.CampaignName) -> bytes | None:
        """Return a bundle that says only when it was made."""
        return None if campaign not in self.state.campaigns else msgspec.json.encode({"generated_at": self.at})

    def view(self, at_least: int | None, **members: object) -> Raw:
        """Return a view that has seen everything."""
        assert at_least is None or at_least <= len(self.log)
        return Raw(msgspec.json.encode(members | {"position": 0}))
