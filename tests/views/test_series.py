"""What the exponential buckets of a histogram tell of what was observed."""

from bisect import bisect_left
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from projections.measures.series import index, quantile


@given(
    observed=st.lists(st.integers(1_000, 30 * 86400 * 1_000_000), min_size=1, max_size=200),
    share=st.sampled_from([0.01, 0.5, 0.9, 0.95, 0.99, 1.0]),
)
def test_a_quantile_is_within_a_bucket_of_the_truth(observed: list[int], share: float) -> None:
    """From a millisecond to thirty days: the value of that rank lies between the bounds of the same bucket, 9 % apart."""
    found = quantile(Counter(map(index, observed)), share)
    assert found is not None
    truth = sorted(observed)[max(bisect_left(range(1, len(observed) + 1), share * len(observed)), 0)] / 1_000_000
    assert truth / 2 ** (1 / 8) * 0.999999 <= found <= truth * 2 ** (1 / 8) * 1.000001
