"""A sweep is one round of a loop of the leader; the metrics count its rounds and measure how long they take."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter, time
from typing import Protocol


class SweepObserver(Protocol):
    """Measures sweeps."""

    def swept(self, sweep: str, seconds: float, at: float) -> None:
        """Note a sweep that succeeded; *at* is in seconds since 1970."""

    def sweep_failed(self, sweep: str) -> None:
        """Note a sweep that failed."""


@contextmanager
def observed_sweep(observer: SweepObserver | None, sweep: str) -> Iterator[None]:
    """Report to *observer* how long the body takes, or that it failed."""
    started = perf_counter()
    try:
        yield
    except Exception:
        if observer is not None:
            observer.sweep_failed(sweep)
        raise
    if observer is not None:
        observer.swept(sweep, perf_counter() - started, time())
