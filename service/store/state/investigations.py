"""The loading and saving of investigations and recoveries, with what their decisions read beside them."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any

import msgspec
from asyncpg import Record

from service.domain import commands as c
from service.domain import ids
from service.domain.claiming import investigation_blockers
from service.domain.investigation import Investigation, fix_key
from service.domain.recovery import Recovery
from service.domain.state import State
from service.store.db.queries import load
from service.store.log.event_log import QUERIES as LOG
from service.store.log.event_log import Connection, columns
from service.store.state import rows
from service.store.state.read_set import ReadSet

QUERIES = load("investigations")

Fetch = Callable[..., Awaitable[list[Record]]]


def investigation(row: Record) -> Investigation:
    """Return a row of `investigations`."""
    return Investigation(**dict(row))


def recovery(row: Record) -> Recovery:
    """Return a row of `recoveries`."""
    return Recovery(**dict(row))


async def begin(fetch: Fetch, state: State, read_set: ReadSet) -> None:
    """Load what commands name by an id, and add to *needs* what that leads to."""
    if read_set.investigations:
        note_investigations(state, await fetch(QUERIES.investigations, list(read_set.investigations)))
    for row in state.investigations.values():
        read_set.campaigns.add(row.campaign)
    await plans(fetch, state, read_set)
    if any(claim.kind == "investigation" and not claim.campaigns for claim in read_set.claims):
        read_set.campaigns.update(row["name"] for row in await fetch(QUERIES.investigating))


async def plans(fetch: Fetch, state: State, read_set: ReadSet) -> None:
    """Load the plans that are named, with their units; the last one of campaigns that may get one; open ones that matter."""
    if read_set.recoveries:
        note_plans(state, read_set, await fetch(QUERIES.recoveries, list(read_set.recoveries)))
    for plan in state.recoveries.values():
        read_set.below.update((plan.campaign, key) for key in plan.resumable)
        read_set.units.update((plan.campaign, key) for key in plan.resumable)
        if plan.id in read_set.declined:
            read_set.cancelled.add(plan.campaign)
    if read_set.abandoned:
        note_plans(state, read_set, await fetch(QUERIES.last_recoveries, list(read_set.abandoned)))
        claims = [rows.claim(row) for row in await fetch(QUERIES.claims_of_campaigns, list(read_set.abandoned))]
        state.claims |= {claim.token: claim for claim in claims}
    if read_set.planned and (names := questioned(state, read_set)):
        note_plans(state, read_set, await fetch(QUERIES.open_recoveries, list(names)))


def note_plans(state: State, read_set: ReadSet, found: Iterable[Record]) -> None:
    """Take plans into *state*, and their campaigns into *needs*."""
    for row in found:
        plan = state.recoveries.setdefault(row["id"], recovery(row))
        read_set.campaigns.add(plan.campaign)


def questioned(state: State, read_set: ReadSet) -> set[ids.CampaignName]:
    """Return the campaigns whose open plan matters: it is about a claim that may end, or closes when somebody asks for work."""
    asking = [claim for claim in read_set.claims if claim.kind == "unit"]
    if any(not claim.campaigns for claim in asking):
        return read_set.planned
    named = {name for claim in asking for name in claim.campaigns}
    return read_set.planned & (named | {claim.campaign for claim in state.claims.values()})


def note_investigations(state: State, found: Iterable[Record]) -> None:
    """Take rows into *state*, but those that are there already."""
    for row in found:
        state.investigations.setdefault(row["id"], investigation(row))


async def candidates(fetch: Fetch, state: State, read_set: ReadSet, at: datetime) -> None:
    """Load the next investigations of each campaign, as many as the claims of this batch can get, with their screens."""
    wanted = wanted_investigations(state, read_set.claims, at)
    if wanted:
        note_investigations(state, await fetch(QUERIES.next_investigations, list(wanted), list(wanted.values())))
    read_set.units.update((row.campaign, row.unit) for row in state.investigations.values())
    read_set.units.update((row.campaign, ids.UnitKey(f"{row.unit}.fix")) for row in state.investigations.values())
    names = {row.screen_id for row in state.investigations.values() if row.state == "requested" and row.screen_id is not None}
    if wanted and names:
        state.screens |= {row["screen_id"]: row["text"] for row in await fetch(LOG.screens, list(names))}


def wanted_investigations(state: State, claims: Iterable[c.ClaimWork], at: datetime) -> Counter[ids.CampaignName]:
    """Return how many investigations of each campaign the claims of a batch can get; one where it only says why not."""
    wanted: Counter[ids.CampaignName] = Counter()
    for claim in claims:
        if claim.kind == "investigation":
            names = [name for name in dict.fromkeys(claim.campaigns or state.campaigns) if name in state.campaigns]
            for name in names:
                shut = any(investigation_blockers(state, state.campaigns[name], claim.mode, at))
                wanted[name] += 1 if shut else claim.max
    return +wanted


async def around(fetch: Fetch, state: State, read_set: ReadSet) -> set[ids.UnitId]:
    """Load the open investigations of units that this batch may end or send back; return the fixes that they may have."""
    if not (read_set.ending or read_set.failing or read_set.fenced or read_set.below):
        return set()
    looking = {row.name for row in state.campaigns.values() if row.policy.investigate} | read_set.edited
    claims = (*state.claims.values(), *state.ended_claims.values()) if looking else ()
    looked = {(claim.campaign, claim.unit) for claim in claims if claim.campaign in looking}
    if read_set.fenced:
        looked |= {(name, key) for name, queue in state.candidates.items() if name in looking for key in queue}
    asked = looked | read_set.below
    if asked:
        note_investigations(state, await fetch(QUERIES.open_investigations, *columns(list(asked))))
    known = (state.units.get(key) for key in asked)
    return {(unit.campaign, fix_key(unit)) for unit in known if unit is not None and unit.kind != "fix"}


async def save(connection: Connection, shard: int, state: State) -> None:
    """Write every touched investigation and plan."""
    touched = state.touched
    if touched.investigations:
        ordered = [msgspec.structs.astuple(state.investigations[known]) for known in sorted(touched.investigations)]
        await connection.execute(QUERIES.save_investigations, shard, *columns(ordered))
    for known in sorted(touched.recoveries):
        row: tuple[Any, ...] = msgspec.structs.astuple(state.recoveries[known])
        await connection.execute(QUERIES.save_recovery, shard, *row)
