"""Forecasts for a campaign: an interval for its end, and how often its breaker trips by chance alone."""

from math import exp, log

from projections.views.campaign.card import CampaignCard

MIN_DURATIONS = 3
MIN_ATTEMPTS = 20
LOW_QUANTILE, HIGH_QUANTILE = 0.5, 0.9
NEVER = 1e15


def remaining_s(card: CampaignCard) -> tuple[float, float] | None:
    """Return the seconds until the end if every unit takes the median duration, and if every unit takes the 90th percentile.

    An estimate of ours: the open units, times the attempts that a unit needs on average, are shared evenly by as many slots as
    are busy now; each wave takes at least one unit's time. None if nothing runs or fewer than three durations are known.
    """
    busy, left = card.counts.running, card.counts.open
    if not busy or card.durations.count < MIN_DURATIONS:
        return None
    done, failed = sum(card.timeline.done), sum(card.timeline.failed)
    attempts_per_unit = (done + failed) / done if done else 1.0
    rounds = max(left * attempts_per_unit / min(busy, left), float(card.waves_left))
    return rounds * card.durations.quantile(LOW_QUANTILE), rounds * card.durations.quantile(HIGH_QUANTILE)


def failure_rate(card: CampaignCard) -> float | None:
    """Return the share of failures in what the breaker counts; None without a failure, or for fewer than twenty in all."""
    if card.policy.breaker.counts == "units":
        failed, done = card.counts.quarantined, card.counts.done
    else:
        failed, done = sum(card.timeline.failed), sum(card.timeline.done)
    return failed / (failed + done) if failed and failed + done >= MIN_ATTEMPTS else None


def attempts_between_false_trips(rate: float, threshold: int) -> float:
    """Return the expected number of attempts until *threshold* in a row fail by chance, each with probability *rate*.

    (1 - p^k) / (p^k (1 - p)), the mean waiting time for the first run of k (W. Feller, An Introduction to Probability Theory and
    Its Applications, volume 1, chapter XIII.7). Computed with logarithms, because p^k underflows; capped at 1e15.

    >>> [attempts_between_false_trips(rate, k) for rate, k in ((0.5, 3), (0.1, 3), (1.0, 3), (0.001, 1000))]
    [14.0, 1110.0, 3.0, 1000000000000000.0]
    """
    if rate >= 1:
        return float(threshold)
    powers = -threshold * log(rate)
    if powers > log(NEVER):
        return NEVER
    return min(round((exp(powers) - 1) / (1 - rate), 6), NEVER)
