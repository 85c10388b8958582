"""When a failed attempt is tried again, and after how long."""

from service.domain.policy import Jitter, RetryPolicy


def backoff(policy: RetryPolicy, attempt: int, chance: float) -> tuple[int, int]:
    """Return base and drawn delay in ms before attempt *attempt* + 1; *chance* is in [0, 1).

    base = backoff · factor^(attempt-1), capped before the power overflows; symmetric jitter moves it by (2·u-1)·ratio·base
    (B-RETRY-1). Full jitter is the one of M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.

    >>> backoff(RetryPolicy(), 1, 0.5), backoff(RetryPolicy(), 2, 0.0)
    ((1000, 1000), (2000, 1400))
    """
    base = float(policy.max_delay_ms)
    if policy.factor == 1 or attempt <= 64:  # noqa: PLR2004 - 5^64 is far beyond every cap and far below overflow
        base = min(base, policy.backoff_ms * policy.factor ** (attempt - 1))
    delay = jittered(base, policy.jitter, chance)
    return round(base), round(min(max(delay, 0.0), policy.max_delay_ms))


def jittered(base: float, jitter: Jitter, chance: float) -> float:
    """Return *base* moved by chance, unbounded."""
    match jitter.kind:
        case "symmetric":
            return base + (2 * chance - 1) * jitter.ratio * base
        case "additive":
            return base + chance * jitter.ms
        case "full":
            return chance * base
        case "none":
            return base


def matched_pattern(policy: RetryPolicy, error: str | None) -> str | None:
    """Return the glob of `retryable_errors` that *error* matches as a whole, ignoring case; None when none does."""
    text = (error or "").lower()
    return next((glob for glob in policy.retryable_errors if matches(glob.lower(), text)), None)


def matches(glob: str, text: str) -> bool:
    """Tell whether all of *text* has the shape of *glob*: `*` is any text, `?` any one character, all else itself.

    The greedy match goes back to the last star only (R. Cox, "Glob Matching Can Be Simple And Fast Too", 2017), so that time
    grows with len(glob) x len(text) at most, and no glob can stall the service.

    >>> matches("exit ?: *file", "exit 1: no such file"), matches("exit ?", "exit 12")
    (True, False)
    """
    here = there = 0
    star, mark = -1, 0
    while there < len(text):
        if here < len(glob) and glob[here] == "*":
            star, mark, here = here, there, here + 1
        elif here < len(glob) and glob[here] in ("?", text[there]):
            here, there = here + 1, there + 1
        elif star >= 0:
            mark += 1
            here, there = star + 1, mark
        else:
            return False
    return all(char == "*" for char in glob[here:])
