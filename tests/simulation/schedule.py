"""The virtual clock: what is to happen, in order of time."""

from collections.abc import Callable
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count

Act = Callable[[], None]


class Schedule:
    """Acts in the order of their time; of the same time, in the order in which they were asked for."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self._acts: list[tuple[datetime, int, Act]] = []
        self._numbers = count()

    def after(self, seconds: float, act: Act) -> None:
        """Schedule *act* after a delay in seconds."""
        heappush(self._acts, (self.at + timedelta(seconds=seconds), next(self._numbers), act))

    def next(self) -> Act:
        """Let time pass until the next act, and return it."""
        self.at, _, act = heappop(self._acts)
        return act
