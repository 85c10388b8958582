"""The loading of rows by their keys: out of the row cache where they are there, else one query for all of a table."""

from collections.abc import Collection, Iterable
from datetime import datetime

from asyncpg import Record

from service.domain import ids
from service.domain.state import State
from service.domain.unit import Claim, Unit
from service.store.db.queries import load
from service.store.log.event_log import QUERIES as LOG
from service.store.log.event_log import Connection, columns
from service.store.state import rows
from service.store.state.row_cache import RowCache, parted

QUERIES = load("state")


class RowLoader:
    """Loads rows of one shard into *state*, each once; the caller holds the shard's lock."""

    def __init__(self, connection: Connection, shard: int, state: State, at: datetime, row_cache: RowCache | None = None) -> None:
        self.connection = connection
        self.shard = shard
        self.state = state
        self.at = at
        self.row_cache = row_cache or RowCache()

    async def fetch(self, query: str, *parameters: object) -> list[Record]:
        """Return the rows of a query about this shard."""
        found: list[Record] = await self.connection.fetch(query, self.shard, *parameters)
        return found

    async def claims_with_units(self, tokens: Iterable[ids.Token]) -> None:
        """Load current claims with the units that they hold."""
        missing = []
        for token in tokens:
            claim = self.row_cache.claims.get(token)
            unit = self.row_cache.units.get((claim.campaign, claim.unit)) if claim is not None else None
            if claim is None or unit is None:
                missing.append(token)
            else:
                self._take_claim(claim, unit)
        if missing:
            for row in await self.fetch(QUERIES.held, missing):
                self._take_claim(*rows.claim_and_unit(row))

    def _take_claim(self, claim: Claim, unit: Unit) -> None:
        self.state.claims[claim.token] = claim
        self.state.units[unit.campaign, unit.key] = unit

    async def claims(self, tokens: Iterable[ids.Token]) -> None:
        """Load current claims alone."""
        cached, missing = parted([token for token in tokens if token not in self.state.claims], self.row_cache.claims)
        self.state.claims |= cached
        if missing:
            self._take_claims(await self.fetch(QUERIES.claims, missing))

    async def claims_of_workers(self, workers: Collection[ids.WorkerId]) -> None:
        """Load the current claims of *workers*."""
        if workers:
            self._take_claims(await self.fetch(QUERIES.claims_of_workers, list(workers)))

    async def claims_of_campaigns(self, names: Collection[ids.CampaignName]) -> None:
        """Load the current claims of campaigns."""
        if names:
            self._take_claims(await self.fetch(QUERIES.claims_of_campaigns, list(names)))

    def _take_claims(self, found: Iterable[Record]) -> None:
        for claim in map(rows.claim, found):
            self.state.claims.setdefault(claim.token, claim)

    async def ended_claims(self, tokens: Iterable[ids.Token]) -> None:
        """Load what the log remembers of those *tokens* that are no longer current."""
        ended = {token for token in tokens if token not in self.state.claims}
        positions = {position for token in ended if (position := position_of(token)) is not None}
        if positions:
            past = map(rows.past_claim, await self.fetch(LOG.claims_at, list(positions)))
            self.state.ended_claims |= {claim.token: claim for claim in past if claim.token in ended}

    async def endings(self, tokens: Iterable[ids.Token]) -> None:
        """Load the reports that ended claims which are no longer current, as far as their own worker ended them."""
        past = [claim for token in tokens if (claim := self.state.ended_claims.get(token)) is not None]
        if past:
            claims = [(claim.campaign, claim.unit, claim.token, claim.fence) for claim in past]
            self.state.endings |= {
                row["token"]: rows.claim_ending(row) for row in await self.fetch(LOG.endings, *columns(claims))
            }

    async def campaigns(self, names: Iterable[ids.CampaignName]) -> None:
        """Load campaigns by name, with their open groups."""
        cached, missing = parted([name for name in names if name not in self.state.campaigns], self.row_cache.campaigns)
        for name, (campaign, groups) in cached.items():
            self.state.campaigns[name], self.state.groups[name] = campaign, groups
        if missing:
            for row in await self.fetch(QUERIES.campaigns, missing):
                campaign = rows.campaign(row)
                self.state.campaigns[campaign.name] = campaign
                self.state.groups[campaign.name] = rows.groups(row)

    async def workers(self, workers: Iterable[ids.WorkerId]) -> None:
        """Load workers."""
        cached, missing = parted([worker for worker in workers if worker not in self.state.workers], self.row_cache.workers)
        self.state.workers |= cached
        if missing:
            self.state.workers |= {row["worker"]: rows.worker(row) for row in await self.fetch(QUERIES.workers, missing)}

    async def quotas(self, keys: Iterable[ids.QuotaKey] = ()) -> None:
        """Load quotas by key, and those that the loaded campaigns name."""
        named = {campaign.quota for campaign in self.state.campaigns.values() if campaign.quota is not None}
        missing = named.union(keys).difference(self.state.quotas)
        if missing:
            self._take_quotas(await self.fetch(QUERIES.quotas, list(missing)))

    async def all_quotas(self) -> None:
        """Load every quota."""
        self._take_quotas(await self.fetch(QUERIES.all_quotas))

    def _take_quotas(self, found: Iterable[Record]) -> None:
        self.state.quotas |= {row["key"]: rows.quota(row) for row in found}

    async def units(self, keys: Iterable[ids.UnitId]) -> None:
        """Load units."""
        cached, missing = parted([key for key in keys if key not in self.state.units], self.row_cache.units)
        self.state.units |= cached
        if missing:
            for unit in map(rows.unit, await self.fetch(QUERIES.units, *columns(missing))):
                self.state.units[unit.campaign, unit.key] = unit


def position_of(token: ids.Token) -> int | None:
    """Return the position of the claim in the log that *token* leads back to, None when it is no token of ours.

    >>> position_of(ids.Token("ff.0123")), position_of(ids.Token("nonsense"))
    (255, None)
    """
    head, dot, _ = token.partition(".")
    try:
        position = int(head, 16) if dot and len(head) <= 15 else None  # noqa: PLR2004 - fits a bigint
    except ValueError:
        return None
    return position if position is not None and position > 0 else None
