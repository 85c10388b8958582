"""The state that the decisions of one batch read: rows by key, and which of them a fold has touched."""

from collections import defaultdict, deque
from datetime import datetime

from service.domain import ids
from service.domain.campaign import Campaign, GroupCounts
from service.domain.engine import Engine
from service.domain.fanout import Fanout, FanoutRound
from service.domain.investigation import Investigation
from service.domain.quota import Quota
from service.domain.recovery import Recovery
from service.domain.unit import Claim, ClaimEnding, Unit
from service.domain.worker import Worker


class State:
    """Rows of one shard. A row that is missing was not loaded, or does not exist; only `evolve` changes a row.

    *ended_claims* are claims whose token may still come in a report. *fanout_rounds* are the next dependents of fan-outs under
    way. *pending_parents* are dependencies of a unit that have ended, or returned to work, and whose fan-out has not reached it.
    """

    def __init__(self, engine: Engine | None = None) -> None:
        self.engine = engine or Engine()
        self.campaigns: dict[ids.CampaignName, Campaign] = {}
        self.groups: dict[ids.CampaignName, dict[int, GroupCounts]] = defaultdict(dict)
        self.units: dict[ids.UnitId, Unit] = {}
        self.claims: dict[ids.Token, Claim] = {}
        self.workers: dict[ids.WorkerId, Worker] = {}
        self.quotas: dict[ids.QuotaKey, Quota] = {}
        self.investigations: dict[ids.InvestigationId, Investigation] = {}
        self.recoveries: dict[ids.RecoveryId, Recovery] = {}
        self.fanouts: dict[ids.UnitId, Fanout] = {}
        self.fanout_rounds: dict[ids.UnitId, FanoutRound] = {}
        self.pending_parents: dict[ids.UnitId, list[Unit]] = {}
        self.children: dict[ids.UnitId, list[ids.UnitKey]] = {}
        self.parents: dict[ids.UnitId, list[ids.UnitKey]] = {}
        self.candidates: dict[ids.CampaignName, deque[ids.UnitKey]] = defaultdict(deque)
        self.ended_claims: dict[ids.Token, Claim] = {}
        self.endings: dict[ids.Token, ClaimEnding] = {}
        self.screens: dict[str, str] = {}
        self.touched = TouchedRows()

    def worker(self, worker: ids.WorkerId, at: datetime) -> Worker:
        """Return the row of *worker*, a new one at its first event."""
        row = self.workers.get(worker)
        if row is None:
            row = self.workers[worker] = Worker(worker=worker, level_at=at, beat_at=at)
        self.touched.workers.add(worker)
        return row

    def quota(self, key: ids.QuotaKey) -> Quota:
        """Return the row of quota *key*, a new one at its first event."""
        row = self.quotas.get(key)
        if row is None:
            row = self.quotas[key] = Quota(key=key)
        self.touched.quotas.add(key)
        return row

    def knows_dependents(self, unit: Unit) -> bool:
        """Tell whether all dependents of *unit* are loaded."""
        return len(self.children.get((unit.campaign, unit.key), ())) == unit.dependents

    def group(self, campaign: ids.CampaignName, number: int) -> GroupCounts:
        """Return the counts of one group."""
        groups = self.groups[campaign]
        row = groups.get(number)
        if row is None:
            row = groups[number] = GroupCounts(campaign, number)
        self.touched.groups.add((campaign, number))
        return row

    def add(self, unit: Unit) -> None:
        """Add a new unit, ready or blocked."""
        name = unit.campaign
        unit_id = name, unit.key
        self.units[unit_id] = unit
        self.touched.added.append(unit_id)
        self.touched.campaigns.add(name)
        self.campaigns[name].counts.move(None, unit.state)
        if unit.state == "ready":
            self.group(name, unit.group).ready += 1

    def move(self, unit: Unit, to: ids.UnitState, at: datetime) -> None:
        """Move *unit* to the state *to*, in its counts too."""
        name, was, touched = unit.campaign, unit.state, self.touched
        unit.updated_at = at
        touched.units.add((name, unit.key))
        if was == to:
            return
        unit.state = to
        self.campaigns[name].counts.move(was, to)
        touched.campaigns.add(name)
        group = self.group(name, unit.group)
        group.ready += (to == "ready") - (was == "ready")
        group.held += (to in ids.HOLDING_STATES) - (was in ids.HOLDING_STATES)

    def regroup(self, unit: Unit, group: int) -> None:
        """Move an untouched unit to another group, in its counts too."""
        for row, one in (self.group(unit.campaign, unit.group), -1), (self.group(unit.campaign, group), +1):
            row.ready += one * (unit.state == "ready")
            row.held += one * (unit.state in ids.HOLDING_STATES)
        unit.group = group


class TouchedRows:
    """Keys of the rows that a fold has changed, for the store to save."""

    def __init__(self) -> None:
        self.engine = False
        self.campaigns: set[ids.CampaignName] = set()
        self.groups: set[tuple[ids.CampaignName, int]] = set()
        self.units: set[ids.UnitId] = set()
        self.added: list[ids.UnitId] = []
        self.payloads: set[ids.UnitId] = set()
        self.edges: list[tuple[ids.CampaignName, ids.UnitKey, ids.UnitKey]] = []
        self.claimed: set[ids.Token] = set()
        self.beaten: set[ids.Token] = set()
        self.details: set[ids.Token] = set()
        self.unclaimed: set[ids.Token] = set()
        self.workers: set[ids.WorkerId] = set()
        self.quotas: set[ids.QuotaKey] = set()
        self.investigations: set[ids.InvestigationId] = set()
        self.recoveries: set[ids.RecoveryId] = set()
        self.fanouts: set[ids.UnitId] = set()
