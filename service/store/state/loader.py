"""The loading of a batch's state: every row that its decisions may read, in as few queries as the commands allow.

A batch of heartbeats loads the claims of all its tokens in one query.
"""

from collections import Counter
from collections.abc import Iterable

from service.domain import ids
from service.domain.decide import following_reads
from service.domain.decide.consequences.dependency import is_unreachable
from service.domain.decide.investigation import units_of_investigations
from service.domain.decide.recovery import units_of_plans
from service.domain.read_set import FollowingReads, ReadSet
from service.domain.rules.claiming import room, share_key
from service.domain.rules.fair_share import unit_counts, unsatisfied, unscoped
from service.store.db.queries import load
from service.store.log.event_log import columns
from service.store.state import fanout, investigations, rows
from service.store.state.row_loader import RowLoader

QUERIES = load("state")
ROUND = 1000
MIN_REASONS = 20
"""How many campaigns at least are loaded for their reasons when a claim of any campaign gets less than it asks for."""


class Loader(RowLoader):
    """Executes a read set, in two phases: by key, then by consequence."""

    async def load(self, read_set: ReadSet) -> None:
        """Load all rows that *read_set* asks for."""
        await self.load_by_key(read_set)
        await self.load_by_consequence(read_set)

    async def load_by_key(self, read_set: ReadSet) -> None:
        """Load the rows that commands name, and the rows that those name: of a claim its unit, campaign and worker."""
        state = self.state
        await self.named_claims(read_set)
        await investigations.load_named(self.fetch, state, read_set)
        claims = (*state.claims.values(), *state.ended_claims.values())
        await self.campaigns(
            {claim.campaign for claim in claims}.union(
                read_set.campaigns,
                read_set.edited_campaigns,
                read_set.cancelled_campaigns,
                read_set.abandoned_campaigns,
                (campaign for campaign, _ in read_set.fanouts),
                (row.campaign for row in state.investigations.values()),
                (plan.campaign for plan in state.recoveries.values()),
            )
        )
        workers = {claim.worker for claim in claims}
        await self.workers(workers.union(read_set.workers, read_set.judged_workers, read_set.fenced_workers))
        if read_set.whole_tables:
            await self.all_quotas()
        await self.quotas(read_set.quotas)
        await self.units(self.named_units(read_set))
        await self.parents(known for known, _ in read_set.imported_units if known in state.units)
        await fanout.load_fanouts(self.fetch, state, read_set.fanouts)

    async def named_claims(self, read_set: ReadSet) -> None:
        """Load the claims that commands name by token, worker or campaign, those that may end with their units."""
        tokens = {*read_set.completing_claims, *read_set.failing_claims}
        await self.claims_with_units(tokens)
        await self.claims(read_set.claims)
        await self.claims_of_workers({*read_set.judged_workers, *read_set.fenced_workers})
        await self.ended_claims(tokens.union(read_set.claims))
        await self.endings(tokens)
        await self.claims_of_campaigns(read_set.abandoned_campaigns)

    def named_units(self, read_set: ReadSet) -> set[ids.UnitId]:
        """Return the units that commands name, or that the loaded claims, plans and investigations name."""
        state = self.state
        fenced = frozenset(read_set.fenced_workers)
        held = [claim for claim in state.claims.values() if claim.worker in fenced] if fenced else []
        return {(claim.campaign, claim.unit) for claim in (*held, *state.ended_claims.values())}.union(
            read_set.units,
            read_set.ending_units,
            read_set.returning_units,
            read_set.fanouts,
            units_of_plans(read_set, state),
            units_of_investigations(state),
        )

    async def load_by_consequence(self, read_set: ReadSet) -> None:
        """Load the rows that follow: shares of what waits, the graph around units that may end, claims of units that run."""
        state = self.state
        if read_set.claim_requests:
            await self.shares(read_set)
            await self.candidates(read_set)
            await investigations.load_candidates(self, read_set)
        await fanout.load_rounds(self.fetch, state, read_set.fanouts)
        following = following_reads(read_set, state)
        await investigations.load_open(self.fetch, state, following.investigated)
        related = await self.related_units(following)
        await self.units(related.union(following.units))
        await self.running_claims()
        await fanout.load_around(self.fetch, state)

    async def shares(self, read_set: ReadSet) -> None:
        """Load the campaigns whose turn is next, until the claims of any campaign take no turn of another.

        Where such a claim gets less than it asks for, a few of the other campaigns are loaded for their reasons.
        """
        requests = unscoped(read_set.claim_requests)
        if not requests:
            return
        manual = any(request.mode == "manual" for request in requests)
        asked = sum(request.max for request in read_set.claim_requests)
        count = more = min(asked, self.state.engine.free)
        while more:
            shut = [key for key, quota in self.state.quotas.items() if room(quota, self.at) == 0]
            names = await self.other_campaigns(QUERIES.fairest, count, manual, shut)
            until = share_key(self.state.campaigns[names[-1]]) if len(names) == count else None
            more = until is not None and unsatisfied(self.state, requests, self.at, self.state.engine.free, until)
            count *= 2
        if unsatisfied(self.state, requests, self.at, asked):
            await self.other_campaigns(QUERIES.with_work, MIN_REASONS)

    async def other_campaigns(self, query: str, *parameters: object) -> list[ids.CampaignName]:
        """Load campaigns that are not loaded yet, with their quotas; return their names in the order of *query*."""
        names: list[ids.CampaignName] = [row[0] for row in await self.fetch(query, list(self.state.campaigns), *parameters)]
        await self.campaigns(names)
        await self.quotas()
        return names

    async def candidates(self, read_set: ReadSet) -> None:
        """Load the next units of each campaign, the most that the claims of this batch can get."""
        counts = unit_counts(self.state, read_set.claim_requests, self.at)
        counts.update(self.freed_slots(read_set))
        if not counts:
            return
        asked = sum(request.max for request in read_set.claim_requests)
        limits = [min(count, asked) for count in counts.values()]
        for unit in map(rows.unit, await self.fetch(QUERIES.candidates, list(counts), limits)):
            self.state.units[unit.campaign, unit.key] = unit
            self.state.candidates[unit.campaign].append(unit.key)

    def freed_slots(self, read_set: ReadSet) -> Counter[ids.CampaignName]:
        """Return how many claims of each campaign this batch may end, which frees slots for those that it asks for."""
        ending = {*read_set.completing_claims, *read_set.failing_claims}
        return Counter(claim.campaign for token in ending if (claim := self.state.claims.get(token)) is not None)

    async def related_units(self, reads: FollowingReads) -> set[ids.UnitId]:
        """Load the graph around units that may end or come back; return the units that it leads to, with those of cancellations.

        Of a unit that has too many dependents none is loaded: its fan-out changes them in rounds.
        """
        edges = [
            *await self.edges(QUERIES.children, fanout.loadable(self.state, reads.children)),
            *await self.edges(QUERIES.descendants, fanout.loadable(self.state, reads.descents), 2 * fanout.ROUND),
        ]
        related: set[ids.UnitId] = set()
        for campaign, parent, child in sorted(set(edges)):  # each edge once, in an order that every load gives again
            self.state.children.setdefault((campaign, parent), []).append(child)
            related.add((campaign, child))
        if reads.returning:
            related |= await self.parents(reads.returning | related)
        for name in reads.cancelled_campaigns:
            related.update((name, row["key"]) for row in await self.fetch(QUERIES.open_units, name, ROUND))
        return related

    async def edges(
        self, query: str, units: list[ids.UnitId], *parameters: object
    ) -> list[tuple[ids.CampaignName, ids.UnitKey, ids.UnitKey]]:
        """Return edges of the graph at *units* as campaign, parent and child."""
        return [tuple(row) for row in await self.fetch(query, *columns(units), *parameters)] if units else []

    async def parents(self, children: Iterable[ids.UnitId]) -> set[ids.UnitId]:
        """Load the edges to what units depend on; return those dependencies."""
        found: set[ids.UnitId] = set()
        for campaign, parent, child in await self.edges(QUERIES.parents, list(children)):
            parents = self.state.parents.setdefault((campaign, child), [])
            if parent not in parents:
                parents.append(parent)
            found.add((campaign, parent))
        return found

    async def running_claims(self) -> None:
        """Load the claims on running units, which a decision about the unit may end."""
        running = (unit.token for unit in self.state.units.values() if unit.state == "running")
        tokens = [token for token in running if token is not None and token not in self.state.claims]
        await self.claims(tokens)
        await self.workers({self.state.claims[token].worker for token in tokens if token in self.state.claims})

    async def unit_obstacles(self, known: ids.UnitId) -> None:
        """Load what a unit waits for: its dependencies, and those of which it has yet to learn that they ended or are back."""
        unit = self.state.units.get(known)
        if unit is None or unit.state not in ("blocked", "skipped"):
            return
        parents = await self.parents([known]) if unit.state == "blocked" else set()
        pending: list[ids.UnitId] = []
        if self.state.campaigns[unit.campaign].open_fanouts:
            pending = await fanout.pending_parents(self.fetch, known)
        await self.units(parents.union(pending))
        ends = (self.state.units[parent] for parent in pending)
        self.state.pending_parents[known] = [
            parent
            for parent in ends
            if (parent.settled or is_unreachable(parent) if unit.state == "blocked" else not is_unreachable(parent))
        ]
