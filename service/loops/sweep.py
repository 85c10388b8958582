"""A sweep is one round of something that must happen again and again; somebody may want to know that it does."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


class Sweeps:
    """What the leader's loops tell of their rounds; the metrics override it."""

    def swept(self, sweep: str, seconds: float) -> None:
        """Note a round that ended well."""

    def stumbled(self, sweep: str) -> None:
        """Note a round that failed."""

    @contextmanager
    def round(self, sweep: str) -> Iterator[None]:
        """Note how what is inside ends."""
        started = perf_counter()
        try:
            yield
        except Exception:
            self.stumbled(sweep)
            raise
        self.swept(sweep, perf_counter() - started)
