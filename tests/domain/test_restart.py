"""Dead workers after a restart of the service: the count of dead ticks survives, and who could not be heard is spared a while."""

from service.domain import events as e
from tests.domain.scenario import (
    adding,
    after,
    beat,
    campaign,
    claimed,
    fact,
    given,
    judging,
    revoking,
)

STRICT = (
    campaign(lease_s=600, heartbeat={"warn_s": 1, "stale_s": 2, "dead_s": 3, "dead_ticks": 3}),
    adding("a", "b"),
    claimed("a", "t"),
)
REVOKED = (fact(e.LeaseExpired, token="t"), fact(e.AttemptFailed, reason="heartbeat_dead"), fact(e.RetryScheduled))


def test_the_count_of_dead_ticks_survives_a_restart() -> None:
    """B-BEAT-4: who was dead before it has the time of a dead silence to be heard, not that of its lease."""
    story = given(*STRICT, after(seconds=4), judging(), after(seconds=1))
    story.when(revoking("t", tick_s=1)).then()
    story.given(after(seconds=20))
    back = story.at
    story.given(after(seconds=2.9)).when(judging(heard_since=back)).then()
    story.when(revoking("t", heard_since=back, tick_s=1)).then()
    story.given(after(seconds=0.1)).when(revoking("t", heard_since=back, tick_s=1)).then(*REVOKED)


def test_a_worker_that_died_with_the_service_loses_its_claims_after_as_many_dead_ticks_as_any() -> None:
    """B-BEAT-4: six seconds after the restart, not ten minutes."""
    story = given(*STRICT, after(seconds=20))
    back = story.at
    changes = []
    for _ in range(5):
        story.given(after(seconds=1)).when(judging(heard_since=back))
        changes += [event.body.to for event in story.outcome.events if isinstance(event.body, e.LevelChanged)]
        story.when(revoking("t", heard_since=back, tick_s=1)).then()
    assert changes == ["warn", "stale", "dead"]
    story.given(after(seconds=1)).when(revoking("t", heard_since=back, tick_s=1)).then(*REVOKED)


def test_each_campaign_gives_a_silent_worker_its_own_time_after_a_restart() -> None:
    """B-BEAT-4."""
    patient = campaign("patient", lease_s=9999, heartbeat={"dead_s": 1000})
    story = given(*STRICT, patient, adding("a", to="patient"), claimed("a", "p", of="patient"), after(hours=1))
    back = story.at
    story.given(after(seconds=4), judging(heard_since=back), after(seconds=995))
    story.when(revoking("p", "t", heard_since=back, tick_s=1)).then(*REVOKED)
    story.given(after(seconds=1)).when(revoking("p", heard_since=back, tick_s=1)).then(
        fact(e.LeaseExpired, token="p"), fact(e.AttemptFailed, reason="heartbeat_dead"), fact(e.RetryScheduled)
    )


def test_a_worker_that_was_heard_since_a_restart_is_judged_as_always() -> None:
    """B-BEAT-4: its claims last three seconds and three ticks from its last word, however soon that was."""
    story = given(*STRICT, after(seconds=20))
    back = story.at
    story.given(after(seconds=1), beat("t"), after(seconds=4), judging(heard_since=back), after(seconds=1))
    story.when(revoking("t", heard_since=back, tick_s=1)).then()
    story.given(after(seconds=1)).when(revoking("t", heard_since=back, tick_s=1)).then(*REVOKED)


def test_a_worker_that_called_itself_dead_may_take_it_back_for_a_while_after_a_restart() -> None:
    """B-BEAT-1, B-BEAT-4: what it said since, nobody heard."""
    story = given(*STRICT, beat("t", alive=False), after(seconds=20))
    back = story.at
    story.given(after(seconds=2.9)).when(revoking("t", heard_since=back, tick_s=1)).then()
    story.given(after(seconds=0.1)).when(revoking("t", heard_since=back, tick_s=1)).then(*REVOKED)
