"""What must be true of the state after every decision, whatever happened before."""

from collections import Counter

from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.domain.decide import decide
from service.domain.rules.claiming import campaign_blockers, engine_blockers, ramp_left, unit_blockers
from service.domain.state import State
from service.domain.unit import Unit
from tests.domain.replay import ROUND, fold, load, reach, rows
from tests.domain.scenario import Scenario
from tests.property.log_model import CLOSED, OPEN, LogModel

PROBER = ids.WorkerId("prober")


def agree(story: Scenario, model: LogModel) -> None:
    """Check the state against the log, against itself and against the model."""
    state = story.state
    live, rebuilt = rows(state), rows(fold(story.log))
    for name, row in live.items():
        assert row == rebuilt[name], f"{name} are what the log says"
    counts_agree(state)
    dependencies_agree(state)
    for unit in state.units.values():
        unit_model = model.campaigns[unit.campaign].units[unit.key]
        assert (unit.state, unit.attempts, unit.claims) == (unit_model.state, unit_model.attempts, unit_model.claims)
        nothing_is_forgotten(state, unit.campaign, unit.key)
    for campaign in state.campaigns.values():
        expected = model.campaigns[campaign.name]
        assert campaign.consecutive == len(expected.failures), "the breaker counts what the log holds"
        assert (campaign.tripped is not None) == expected.tripped
        assert campaign.tripped is not None or campaign.consecutive < campaign.policy.breaker.threshold
        done = campaign.counts.total and not campaign.counts.open and not campaign.open_fanouts
        assert campaign.over or not done, "what has nothing to do is completed"
        assert campaign.completed_at is None or not campaign.open_fanouts, "a campaign ends when everybody knows"
        assert campaign.open_fanouts == sum(owner == campaign.name for owner, _ in state.fanouts)
        assert not campaign.over or not campaign.counts.open


def counts_agree(state: State) -> None:
    """Recount the counts of campaigns, groups, engine and workers from units and claims."""
    for name, campaign in state.campaigns.items():
        units = [unit for unit in state.units.values() if unit.campaign == name]
        by_state = Counter(unit.state for unit in units)
        assert {one: getattr(campaign.counts, one) for one in ids.UNIT_STATES} == {one: by_state[one] for one in ids.UNIT_STATES}
        for number, group in state.groups[name].items():
            mine = [unit.state for unit in units if unit.group == number]
            assert (group.ready, group.held) == (mine.count("ready"), sum(one in ids.HOLDING_STATES for one in mine))
    running = {unit.token for unit in state.units.values() if unit.state == "running"}
    assert running == set(state.claims)
    assert state.engine.in_use == len(state.claims)
    held = Counter(claim.worker for claim in state.claims.values())
    assert {name: worker.held for name, worker in state.workers.items() if worker.held} == dict(held)


def dependencies_agree(state: State) -> None:
    """Recount who waits for whom."""
    for (campaign, key), unit in state.units.items():
        parents = [state.units[campaign, parent] for parent in state.parents.get((campaign, key), ())]
        unaware = [parent for parent in parents if key in unreached(state, parent)]
        counted = [parent for parent in unaware if state.fanouts[campaign, parent.key].counted]
        assert unit.waits_for == sum(not parent.settled or parent in counted for parent in parents)
        assert unit.dependents == len(state.children.get((campaign, key), ()))
        assert unit.settled or unit.state != "done"
        if unit.state == "blocked":
            assert unaware or any(one.state in OPEN for one in parents), "a blocked unit waits for something that can come"
            assert not any(one.state in CLOSED and not one.settled and one not in unaware for one in parents)


def unreached(state: State, unit: Unit) -> set[ids.UnitKey]:
    """Return which dependents of *unit* have yet to learn what became of it."""
    fanout = state.fanouts.get((unit.campaign, unit.key))
    return set() if fanout is None else set(reach(state, fanout, ROUND * 1000).dependents)


def nothing_is_forgotten(state: State, name: ids.CampaignName, key: ids.UnitKey) -> None:
    """Check that a unit which is not final has a deadline, or a reason that can be named."""
    unit = state.units[name, key]
    match unit.state:
        case "delayed":
            assert unit.due_at is not None
        case "parked":
            assert unit.resume_at is not None
        case "running":
            assert unit.token is not None
            assert state.claims[unit.token].lease_until is not None
        case "blocked":
            assert unit.waits_for > 0
        case _:
            pass


def explained(story: Scenario, mode: ids.Mode, pick: int) -> None:
    """Check that a claim hands out exactly what no blocker holds back."""
    for name, campaign in story.state.campaigns.items():
        shut = [*engine_blockers(story.state), *campaign_blockers(story.state, campaign, mode, story.at)]
        mine = [unit for unit in story.state.units.values() if unit.campaign == name]
        free = [unit.key for unit in mine if not shut and not any(unit_blockers(story.state, campaign, unit))]
        quota = story.state.quotas.get(campaign.quota) if campaign.quota is not None else None
        ramp = ramp_left(quota, story.at) if quota is not None else None
        pool = story.state.engine.pool_size - story.state.engine.in_use
        slots = min(campaign.policy.concurrency - campaign.counts.running, pool, len(free) if ramp is None else ramp)
        order = probe(story, name, mode)
        assert set(order) <= set(free), "nothing is claimed that an explanation holds back"
        assert len(order) == (min(len(free), slots) if free else 0), "everything is claimed that nothing holds back"
        if free:
            lone = free[pick % len(free)]
            assert probe(story, name, mode, lone) == [lone], "a claim can return what an explanation calls runnable"


def probe(story: Scenario, name: ids.CampaignName, mode: ids.Mode, only: ids.UnitKey | None = None) -> list[ids.UnitKey]:
    """Return what a claim of everything would get, from a copy of the state."""
    state = fold(story.log)
    load(state, ())
    if only is not None:
        state.candidates[name].clear()
        state.candidates[name].append(only)
    ask = c.ClaimWork(worker=PROBER, max=1000, campaigns=(name,), mode=mode)
    outcome = decide(state, ask, c.DecisionContext(at=story.at, head=len(story.log), actor="prober", chance=lambda: 0.5))
    keys = [event.unit for event in outcome.events if isinstance(event.body, e.UnitClaimed) and event.unit is not None]
    assert keys == [grant.key for grant in outcome.reply.claims]
    return keys
