"""The loading of a batch's state: every row that its decisions may read, in as few queries as the commands allow."""

from collections import Counter
from collections.abc import Collection, Iterable
from collections.abc import Set as AbstractSet
from datetime import datetime

from asyncpg import Record

from service.domain import ids
from service.domain.claiming import room, share_key
from service.domain.decide.consequences.dependency import is_unreachable
from service.domain.state import State
from service.domain.unit import Claim, Unit
from service.store.db.queries import load
from service.store.log.event_log import QUERIES as LOG
from service.store.log.event_log import Connection, columns
from service.store.state import fanout, investigations, rows
from service.store.state.fair_share import unsatisfied, unscoped, wanted_units
from service.store.state.read_set import ReadSet
from service.store.state.row_cache import RowCache, parted

QUERIES = load("state")
ROUND = 1000
NAMED = 20
"""How many campaigns a claim of any campaign that gets less than it asks for is told the reasons of, at least."""


class Loader:
    """Loads rows of one shard into one `State`, out of *memory* where they are; the caller holds the shard's lock."""

    def __init__(self, connection: Connection, shard: int, state: State, at: datetime, row_cache: RowCache | None = None) -> None:
        self.connection = connection
        self.shard = shard
        self.state = state
        self.at = at
        self.row_cache = row_cache or RowCache()

    async def load(self, read_set: ReadSet) -> None:
        """Load everything that *needs* asks for."""
        await self.claims(read_set)
        await investigations.begin(self.fetch, self.state, read_set)
        held = self.state.claims.values()
        ended = self.state.ended_claims.values()
        names = read_set.campaigns | {claim.campaign for claim in (*held, *ended)}
        await self.campaigns(names)
        await self.workers(read_set.workers | {claim.worker for claim in (*held, *ended)})
        await self.quotas(read_set)
        if read_set.claims:
            await self.turns(read_set)
            await self.candidates(read_set)
        await investigations.candidates(self.fetch, self.state, read_set, self.at)
        fenced = [claim for claim in held if claim.worker in read_set.fenced] if read_set.fenced else []
        await self.units(read_set.units | {(claim.campaign, claim.unit) for claim in (*fenced, *ended)})
        for name in read_set.cancelled:
            await self.open_units(name)
        await self.rebound(read_set)
        await fanout.begin(self.fetch, self.state, read_set)
        await self.units(read_set.units)
        await self.descent(read_set)
        await self.running_claims()
        await self.units(await investigations.around(self.fetch, self.state, read_set))
        await fanout.around(self.fetch, self.state)

    async def fetch(self, query: str, *parameters: object) -> list[Record]:
        """Return the rows of a query about this shard."""
        found: list[Record] = await self.connection.fetch(query, self.shard, *parameters)
        return found

    async def claims(self, read_set: ReadSet) -> None:
        """Load current claims, where they may end with their units, and for other tokens what the log remembers of them."""
        await self.held(read_set.ending | read_set.failing)
        await self.beating(read_set.tokens - self.state.claims.keys())
        if workers := read_set.judged | read_set.fenced:
            found = map(rows.claim, await self.fetch(QUERIES.claims_of_workers, list(workers)))
            self.state.claims |= {claim.token: claim for claim in found if claim.token not in self.state.claims}
        places = {place for token in read_set.tokens if token not in self.state.claims and (place := place_of(token))}
        if places:
            past = [rows.past_claim(row) for row in await self.fetch(LOG.claims_at, list(places))]
            self.state.ended_claims |= {claim.token: claim for claim in past if claim.token in read_set.tokens}

    async def held(self, tokens: Collection[ids.Token]) -> None:
        """Load claims with the units that they hold."""
        missing = []
        for token in tokens:
            claim = self.row_cache.claims.get(token)
            unit = self.row_cache.units.get((claim.campaign, claim.unit)) if claim is not None else None
            if claim is None or unit is None:
                missing.append(token)
            else:
                self.hold(claim, unit)
        if missing:
            for row in await self.fetch(QUERIES.held, missing):
                self.hold(*rows.claim_and_unit(row))

    def hold(self, claim: Claim, unit: Unit) -> None:
        """Take a claim and its unit into the state."""
        self.state.claims[claim.token] = claim
        self.state.units[unit.campaign, unit.key] = unit

    async def beating(self, tokens: Collection[ids.Token]) -> None:
        """Load claims alone."""
        known, missing = parted(tokens, self.row_cache.claims)
        self.state.claims |= known
        if missing:
            self.state.claims |= {claim.token: claim for claim in map(rows.claim, await self.fetch(QUERIES.claims, missing))}

    async def campaigns(self, names: Collection[ids.CampaignName]) -> None:
        """Load campaigns by name, with their open groups."""
        known, missing = parted(names, self.row_cache.campaigns)
        for name, (campaign, groups) in known.items():
            self.state.campaigns[name], self.state.groups[name] = campaign, groups
        if missing:
            self.open(await self.fetch(QUERIES.campaigns, missing))

    def open(self, found: Iterable[Record]) -> list[ids.CampaignName]:
        """Take campaigns and their groups into the state; return their names."""
        names = []
        for row in found:
            campaign = rows.campaign(row)
            self.state.campaigns[campaign.name] = campaign
            self.state.groups[campaign.name] = rows.groups(row)
            names.append(campaign.name)
        return names

    async def turns(self, read_set: ReadSet) -> None:
        """Load the campaigns whose turn is next, until the claims of any campaign take no turn of another.

        One that gets less than it asks for is told why: of the rest, a few are loaded for their reasons.
        """
        claims = unscoped(read_set.claims)
        if not claims:
            return
        manual = any(claim.mode == "manual" for claim in claims)
        asked = sum(claim.max for claim in read_set.claims)
        count = more = min(asked, self.state.engine.free)
        while more:
            shut = [key for key, quota in self.state.quotas.items() if room(quota, self.at) == 0]
            names = await self.others(QUERIES.fairest, read_set, count, manual, shut)
            until = share_key(self.state.campaigns[names[-1]]) if len(names) == count else None
            more = until is not None and unsatisfied(self.state, claims, self.at, self.state.engine.free, until)
            count *= 2
        if unsatisfied(self.state, claims, self.at, asked):
            await self.others(QUERIES.with_work, read_set, NAMED)

    async def others(self, query: str, read_set: ReadSet, *parameters: object) -> list[ids.CampaignName]:
        """Load campaigns that are not loaded yet, with their quotas; return their names in the order of *query*."""
        names = self.open(await self.fetch(query, list(self.state.campaigns), *parameters))
        await self.quotas(read_set)
        return names

    async def workers(self, workers: AbstractSet[ids.WorkerId]) -> None:
        """Load workers."""
        known, missing = parted(workers - self.state.workers.keys(), self.row_cache.workers)
        self.state.workers |= known
        if missing:
            self.state.workers |= {row["worker"]: rows.worker(row) for row in await self.fetch(QUERIES.workers, missing)}

    async def quotas(self, read_set: ReadSet) -> None:
        """Load the quotas that are named, or that a loaded campaign names."""
        if read_set.every_quota:
            found = await self.fetch(QUERIES.all_quotas)
        else:
            keys = read_set.quotas | {key for row in self.state.campaigns.values() if (key := row.quota) is not None}
            missing = keys.difference(self.state.quotas)
            found = await self.fetch(QUERIES.quotas, list(missing)) if missing else []
        self.state.quotas |= {row["key"]: rows.quota(row) for row in found}

    async def candidates(self, read_set: ReadSet) -> None:
        """Load the next units of each campaign, as many as the claims of this batch can get."""
        wanted = wanted_units(self.state, read_set.claims, self.at)
        wanted.update(self.freed(read_set))
        if not wanted:
            return
        asked = sum(claim.max for claim in read_set.claims)
        counts = [min(count, asked) for count in wanted.values()]
        for unit in map(rows.unit, await self.fetch(QUERIES.candidates, list(wanted), counts)):
            self.state.units[unit.campaign, unit.key] = unit
            self.state.candidates[unit.campaign].append(unit.key)

    def freed(self, read_set: ReadSet) -> Counter[ids.CampaignName]:
        """Return how many claims of each campaign this batch may end, and so make room for those that it asks for."""
        ending = read_set.ending | read_set.failing
        return Counter(claim.campaign for claim in self.state.claims.values() if claim.token in ending) if ending else Counter()

    async def units(self, keys: Iterable[ids.UnitId]) -> None:
        """Load units."""
        known, missing = parted([key for key in keys if key not in self.state.units], self.row_cache.units)
        self.state.units |= known
        if missing:
            for unit in map(rows.unit, await self.fetch(QUERIES.units, *columns(missing))):
                self.state.units[unit.campaign, unit.key] = unit

    async def pending_parents(self, known: ids.UnitId) -> None:
        """Load what a unit has yet to learn of its dependencies: that one ended, or that one is back."""
        unit = self.state.units.get(known)
        if unit is not None and unit.state in ("blocked", "skipped"):
            names = await fanout.pending_parents(self.fetch, known)
            await self.units(names)
            parents = [self.state.units[name] for name in names]
            news = [
                one
                for one in parents
                if (one.settled or is_unreachable(one) if unit.state == "blocked" else not is_unreachable(one))
            ]
            self.state.pending_parents[known] = news

    async def open_units(self, name: ids.CampaignName) -> None:
        """Load the first round of units that a cancellation takes."""
        found = await self.fetch(QUERIES.open_units, name, ROUND)
        await self.units((name, row["key"]) for row in found)

    async def running_claims(self) -> None:
        """Load the claims on running units, which a decision about the unit may end."""
        tokens = [
            unit.token
            for unit in self.state.units.values()
            if unit.state == "running" and unit.token is not None and unit.token not in self.state.claims
        ]
        await self.beating(tokens)
        await self.workers({self.state.claims[token].worker for token in tokens if token in self.state.claims})

    async def descent(self, read_set: ReadSet) -> None:
        """Load what depends on units that may end: children of a completion, the descent of anything else, no more than a few."""
        children, descents = self.roots(read_set)
        edges: list[Record] = []
        if children:
            edges += await self.fetch(QUERIES.children, *columns(children))
        if descents:
            edges += await self.fetch(QUERIES.descendants, *columns(descents), 2 * fanout.ROUND)
        self.draw({(row["campaign"], row["parent"], row["child"]) for row in edges})
        await self.units({(row["campaign"], row["child"]) for row in edges})
        if read_set.lifted:
            lifted = read_set.lifted | {(row["campaign"], row["child"]) for row in edges}
            await self.parents(lifted)

    async def rebound(self, read_set: ReadSet) -> None:
        """Load what units depend on that an import names again, and where it names more, what depends on them."""
        again = [key for key in read_set.bound if key in self.state.units]
        if again:
            await self.parents(again)
            read_set.below |= {key for key in again if not set(read_set.bound[key]) <= set(self.state.parents.get(key, ()))}

    async def parents(self, children: Collection[ids.UnitId]) -> None:
        """Load what units depend on."""
        found = await self.fetch(QUERIES.parents, *columns(list(children)))
        for row in found:
            parents = self.state.parents.setdefault((row["campaign"], row["child"]), [])
            if row["parent"] not in parents:
                parents.append(row["parent"])
        await self.units({(row["campaign"], row["parent"]) for row in found})

    def roots(self, read_set: ReadSet) -> tuple[list[ids.UnitId], list[ids.UnitId]]:
        """Return the units with dependents whose children, and those whose whole descent, matter."""
        children: set[ids.UnitId] = set()
        descents = set(read_set.below)
        if read_set.fenced:  # a claim of this very batch may be taken back in it
            descents |= {(name, key) for name, queue in self.state.candidates.items() for key in queue}
        for claim in (*self.state.claims.values(), *self.state.ended_claims.values()):
            strict = self.state.campaigns[claim.campaign].policy.require_evidence
            if claim.token in read_set.failing or claim.worker in read_set.fenced or (strict and claim.token in read_set.ending):
                descents.add((claim.campaign, claim.unit))
            elif claim.token in read_set.ending:
                children.add((claim.campaign, claim.unit))
        units = self.state.units
        waited_for = {key for key in children | descents if key in units and units[key].dependents}
        return (
            list(fanout.affordable(self.state, waited_for & (children - descents))),
            list(fanout.affordable(self.state, waited_for & descents)),
        )

    def draw(self, edges: Iterable[tuple[ids.CampaignName, ids.UnitKey, ids.UnitKey]]) -> None:
        """Note edges of the graph, each once, in a stable order."""
        for campaign, parent, child in sorted(edges):
            self.state.children.setdefault((campaign, parent), []).append(child)


def place_of(token: ids.Token) -> int | None:
    """Return the position that a token leads back to, None when it is no token of ours."""
    head, dot, _ = token.partition(".")
    try:
        place = int(head, 16) if dot and len(head) <= 15 else None  # noqa: PLR2004 - fits a bigint
    except ValueError:
        return None
    return place if place is not None and place > 0 else None
