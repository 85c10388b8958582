"""What may come of a campaign: when it ends, as an interval, and how often its breaker will trip for nothing."""

from math import exp, log

from projections.views.campaign.card import CampaignCard

EVIDENCE = 3
ATTEMPTS = 20
OFTEN, SELDOM = 0.5, 0.9
NEVER = 1e15


def span_s(card: CampaignCard) -> tuple[float, float] | None:
    """Return the seconds until the end if units take as long as half, and as nine tenths, of those that were done.

    What is left is shared by those that run now, but no wave takes less time than one unit. None without evidence.
    """
    busy, left = card.counts.running, card.counts.open
    if not busy or card.durations.count < EVIDENCE:
        return None
    done, failed = sum(card.course.done), sum(card.course.failed)
    tries = (done + failed) / done if done else 1.0
    rounds = max(left * tries / min(busy, left), float(card.waves_left))
    return rounds * card.durations.quantile(OFTEN), rounds * card.durations.quantile(SELDOM)


def failure_rate(card: CampaignCard) -> float | None:
    """Return the part of what the breaker counts that failed, None without evidence: too little, or not a single failure."""
    if card.policy.breaker.counts == "units":
        failed, done = card.counts.quarantined, card.counts.done
    else:
        failed, done = sum(card.course.failed), sum(card.course.done)
    return failed / (failed + done) if failed and failed + done >= ATTEMPTS else None


def between_false_trips(rate: float, threshold: int) -> float:
    """Return the expected number of attempts until *threshold* in a row fail by chance, each with probability *rate*.

    (1 - p^k) / (p^k (1 - p)), the mean of the first run of k; beyond a quadrillion it is that.

    >>> between_false_trips(0.5, 3), between_false_trips(0.1, 3), between_false_trips(1.0, 3), between_false_trips(0.001, 1000)
    (14.0, 1110.0, 3.0, 1000000000000000.0)
    """
    if rate >= 1:
        return float(threshold)
    powers = -threshold * log(rate)
    if powers > log(NEVER):
        return NEVER
    return min(round((exp(powers) - 1) / (1 - rate), 6), NEVER)
