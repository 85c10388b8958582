"""Which of many campaigns are loaded for a claim of any: few, and enough to give what a claim would get of all."""

import random
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from msgspec import Raw

from service.domain import commands as c
from service.domain import ids
from service.domain.campaign import Campaign
from service.domain.decide import decide, reads
from service.domain.engine import Engine
from service.domain.events import QuotaPolicy
from service.domain.policy import Policy
from service.domain.quota import Quota
from service.domain.state import State
from service.domain.unit import Unit
from service.store.state import saver
from service.store.state.loader import MIN_REASONS, Loader
from tests.domain.replay import load

AT = datetime(2026, 1, 1, tzinfo=UTC)
NOW = AT + timedelta(seconds=10)
MANY = 60
WORKER = ids.WorkerId("w")


class World:
    """A state of many campaigns, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.luck = random.Random(seed)
        self.state = State(Engine(pool_size=1000, in_use=self.luck.choice([0, 0, 990, 1000])))
        self.state.touched.engine = True
        self.state.worker(WORKER, AT).labels = self.luck.choice([{}, {"gpu": "yes"}])
        for key in "open", "closed", "slow", "spent":
            policy = QuotaPolicy(ramp_per_s=0.5 if key == "slow" else 0.01)
            ramping = key in ("slow", "spent")
            self.state.quota(ids.QuotaKey(key))
            self.state.quotas[ids.QuotaKey(key)] = Quota(
                key=ids.QuotaKey(key),
                closed_at=AT if key == "closed" else None,
                opened_at=AT if ramping else None,
                ramped=3 if ramping else 0,
                policy=policy,
            )
        for number in range(MANY):
            self.campaign(ids.CampaignName(f"c{number}"))

    def campaign(self, name: ids.CampaignName) -> None:
        """Add a campaign that is likely enough to give something."""
        luck = self.luck
        policy = Policy(concurrency=luck.choice([1, 2, 3, 7]), groups=luck.choice(["ordered", "none"]))
        row = Campaign(name, name, policy, {}, True, None, None, 1, None, 1, AT)
        row.labels = luck.choice([{}, {}, {"gpu": "yes"}, {"gpu": "no"}])
        row.auto, row.paused_at = luck.random() < 0.8, luck.choice([None, None, None, AT])
        row.tripped = luck.choice([None, None, None, 5])
        row.quota = luck.choice([None, None, *self.state.quotas, ids.QuotaKey("unknown")])
        row.last_claim = luck.choice([0, luck.randrange(1000)])
        self.state.campaigns[name] = row
        self.state.touched.campaigns.add(name)
        for number in range(luck.choice([0, 1, 4, 8])):
            unit = Unit(name, ids.UnitKey(f"u{number}"), "ready", luck.choice([1, 2]), luck.randrange(3), number, Raw(b"{}"), AT)
            self.state.add(unit)
            state: ids.UnitState = luck.choice(["ready", "ready", "running", "delayed", "parked", "done"])
            self.state.move(unit, "ready" if row.counts.running >= policy.concurrency else state, AT)


async def loaded(connection: asyncpg.Connection, engine: Engine, *commands: c.Command) -> State:
    """Return the state that a batch of *commands* is given."""
    state = State(Engine(pool_size=engine.pool_size, in_use=engine.in_use))
    await Loader(connection, 0, state, NOW).load(reads(commands))
    return state


def claimed(state: State, *claims: c.ClaimWork) -> tuple[list[tuple[str, str]], list[set[tuple[str, str]]]]:
    """Return what claims get, in order, and for each of them who is said to give nothing for what reason."""
    got: list[tuple[str, str]] = []
    blocked = []
    for claim in claims:
        reply = decide(state, claim, c.DecisionContext(NOW, 2000 + len(got), "me", lambda: 0.5)).reply
        got += [(grant.campaign, grant.key) for grant in reply.claims]
        blocked.append({(row.campaign, row.reason) for row in reply.blocked})
    return got, blocked


@pytest.mark.parametrize("seed", range(20))
async def test_a_claim_of_any_campaign_gets_what_it_would_get_of_all(owner: asyncpg.Connection, seed: int) -> None:
    """B-CLAIM-4, B-CLAIM-7, B-GROUP-1, B-GROUP-2, B-QUOTA-6, B-VIEW-5: the same units in the same order."""
    world = World(seed)
    await saver.save(owner, 0, world.state)
    for _ in range(20):
        mode: ids.Mode = world.luck.choice(["auto", "auto", "manual"])
        named = [(), (), (ids.CampaignName(f"c{world.luck.randrange(MANY)}"),)]
        labels = world.luck.choice([{}, {"gpu": "no"}])
        ask = c.ClaimWork(WORKER, world.luck.choice([1, 1, 3, 20, 200]), world.luck.choice(named), labels, mode)
        claims = [ask] * world.luck.choice([1, 3])
        whole = World(seed).state
        load(whole, ())
        got, blocked = claimed(await loaded(owner, whole.engine, *claims), *claims)
        all_of_it, reasons = claimed(whole, *claims)
        assert got == all_of_it
        assert all(few <= many for few, many in zip(blocked, reasons, strict=True))
        assert len(got) == ask.max * len(claims) or len(blocked[-1]) >= min(len(reasons[-1]), MIN_REASONS)


@pytest.mark.parametrize("obstacle", ["nothing", "paused", "off", "tripped", "full", "group", "gate"])
async def test_a_claim_loads_no_more_campaigns_than_it_needs(owner: asyncpg.Connection, obstacle: str) -> None:
    """Issue 3: scheduling a claim costs the same with one campaign and with two hundred, whatever holds them back."""
    state = State()
    state.quota(ids.QuotaKey("q")).closed_at = AT
    for number in range(200):
        name = ids.CampaignName(f"c{number}")
        row = state.campaigns[name] = Campaign(name, name, Policy(concurrency=2), {}, True, None, None, 1, None, 1, AT)
        state.touched.campaigns.add(name)
        for key in "a", "b", "c":
            state.add(Unit(name, ids.UnitKey(key), "ready", 1, 0, 0, Raw(b"{}"), AT))
        if number:
            row.auto, row.quota = obstacle != "off", ids.QuotaKey("q") if obstacle == "gate" else None
            row.paused_at, row.tripped = AT if obstacle == "paused" else None, 5 if obstacle == "tripped" else None
            row.counts.running += 2 * (obstacle == "full")
            state.group(name, 0).held += obstacle == "group"
        row.last_claim = 1000 - number
    await saver.save(owner, 0, state)
    seen = await loaded(owner, state.engine, c.ClaimWork(WORKER))
    [[(first, _)], _] = claimed(seen, c.ClaimWork(WORKER))
    assert first == ("c199" if obstacle == "nothing" else "c0")
    assert len(seen.campaigns) == (2 if obstacle == "gate" else 1)
    seen = await loaded(owner, state.engine, c.ClaimWork(WORKER, max=10))
    assert len(seen.campaigns) <= 2 * 10 + MIN_REASONS
