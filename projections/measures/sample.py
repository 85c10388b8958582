"""What a gauge is at one moment."""

from typing import NamedTuple


class Sample(NamedTuple):
    """One value of one family."""

    family: str
    labels: tuple[str, ...]
    value: float
