"""What decisions read beyond the rows that commands name: the rows that follow from these, by policy and by the graph."""

from service.domain import ids
from service.domain.decide.consequences.fanout import reads_reached
from service.domain.decide.investigation import fixes_of, investigated_units, units_of_investigations
from service.domain.decide.recovery import units_of_plans
from service.domain.decide.unit_import import dependencies_of_imported, units_with_new_dependencies
from service.domain.read_set import FollowingReads, ReadSet
from service.domain.state import State


def following_reads(read_set: ReadSet, state: State) -> FollowingReads:
    """Return what follows from *read_set*, all of whose rows are in *state*, with the units that its claim requests may get."""
    ordered = {*read_set.ending_units, *read_set.returning_units, *units_of_plans(read_set, state)}
    children, failing = units_of_claims(read_set, state)
    reached = [reads_reached(state, state.fanout_rounds[known], known) for known in read_set.fanouts if known in state.fanouts]
    descents = failing.union(ordered, units_with_new_dependencies(read_set, state), *(reads.descents for reads in reached))
    investigated = investigated_units(read_set, state, ordered, children | failing)
    named = dependencies_of_imported(read_set, state) | units_of_investigations(state) | fixes_of(state, investigated)
    declined = (state.recoveries.get(known) for known in read_set.declined_recoveries)
    return FollowingReads(
        children=children - descents,
        descents=descents,
        returning=frozenset(read_set.returning_units).union(*(reads.returning for reads in reached)),
        investigated=investigated,
        units=frozenset(named).union(*(reads.units for reads in reached)),
        cancelled_campaigns=frozenset(read_set.cancelled_campaigns).union(plan.campaign for plan in declined if plan is not None),
    )


def units_of_claims(read_set: ReadSet, state: State) -> tuple[frozenset[ids.UnitId], frozenset[ids.UnitId]]:
    """Return the claimed units of which the direct dependents matter, and those of which all units below matter.

    A completion settles the direct dependents; where the policy asks for evidence, it may fail instead. A fenced worker loses
    what it holds, and what it is given earlier in this very batch: that may be any candidate.
    """
    children: set[ids.UnitId] = set()
    failing: set[ids.UnitId] = set()
    for token in read_set.completing_claims:
        claim = state.claims.get(token) or state.ended_claims.get(token)
        if claim is not None:
            strict = state.campaigns[claim.campaign].policy.require_evidence
            (failing if strict else children).add((claim.campaign, claim.unit))
    for token in read_set.failing_claims:
        claim = state.claims.get(token) or state.ended_claims.get(token)
        if claim is not None:
            failing.add((claim.campaign, claim.unit))
    if fenced := frozenset(read_set.fenced_workers):
        claims = (*state.claims.values(), *state.ended_claims.values())
        failing.update((claim.campaign, claim.unit) for claim in claims if claim.worker in fenced)
        failing.update((name, key) for name, queue in state.candidates.items() for key in queue)
    return frozenset(children), frozenset(failing)
