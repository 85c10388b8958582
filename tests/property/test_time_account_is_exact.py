"""Whatever happens, every microsecond of every open unit stands in the account once."""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from projections.views.fold import ReadModels
from projections.views.measurement import microseconds
from service.domain import ids
from service.domain.evolve import evolve
from service.domain.state import State
from tests.histories import BEGIN, CAMPAIGNS, History
from tests.property.causes import SURROUNDINGS, ExpectedAccount


def expected_account(history: History, name: ids.CampaignName, begin: datetime, end: datetime) -> ExpectedAccount:
    """Return the account of a campaign over a window."""
    account = ExpectedAccount(begin_us=microseconds(begin), end_us=microseconds(end))
    for event in history.events:
        if event.at <= end and (event.campaign == name or isinstance(event.body, SURROUNDINGS)):
            account.fold(event)
    account.until(end)
    return account


def lifetimes_us(history: History, name: ids.CampaignName, begin: datetime, end: datetime) -> int:
    """Return how long the units of a campaign were open in a window, unit by unit from the state."""
    state, before, total = State(), begin, 0
    for event in history.events:
        at = min(max(event.at, begin), end)
        total += len(open_units(state, name)) * (microseconds(at) - microseconds(before))
        before = at
        evolve(state, event)
    return total + len(open_units(state, name)) * (microseconds(end) - microseconds(before))


def open_units(state: State, name: ids.CampaignName) -> list[ids.UnitKey]:
    """Return the units that still have to end."""
    return [key for (owner, key), unit in state.units.items() if owner == name and unit.state in ids.OPEN_STATES]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**9),
    steps=st.integers(5, 200),
    begin_s=st.floats(0, 4000, allow_nan=False),
    length_s=st.floats(0, 20000, allow_nan=False),
)
def test_the_causes_sum_to_the_lifetimes_exactly(seed: int, steps: int, begin_s: float, length_s: float) -> None:
    history = History(seed).grow(steps)
    begin = BEGIN + timedelta(seconds=begin_s)
    for window in ((BEGIN, history.at), (begin, begin + timedelta(seconds=length_s))):
        for name in CAMPAIGNS:
            account = expected_account(history, name, *window)
            assert account.lifetime_us == lifetimes_us(history, name, *window)
            assert min(account.causes.values()) >= 0


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**9), steps=st.integers(5, 250))
def test_what_is_kept_from_event_to_event_is_what_the_whole_log_says(seed: int, steps: int) -> None:
    history = History(seed).grow(steps)
    cards = ReadModels()
    for event in history.events:
        cards.fold(event)
    for name in CAMPAIGNS:
        card = cards.campaigns[name]
        cards.advance(card, history.at)
        spent = dict(card.time_account.spent)
        spent["working"] = spent.get("working", 0) - card.time_account.silent_us
        spent["dead_worker"] = card.time_account.silent_us
        told = expected_account(history, name, BEGIN, history.at).causes
        assert {cause: us for cause, us in spent.items() if us} == {cause: us for cause, us in told.items() if us}
