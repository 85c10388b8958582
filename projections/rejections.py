"""Refusals of reads that may be asked again: both are 503 with `Retry-After`."""

from service.domain.rejections import Rejection


class ReadUnavailable(Rejection):
    """What is asked for cannot be read now; ask again after `Retry-After`."""

    status, slug, title = 503, "unavailable", "Unavailable"


class ProjectionLagging(ReadUnavailable):
    """The views have not reached the position asked for in time."""

    def __init__(self, position: int, reached: int) -> None:
        super().__init__(f"the views are at position {reached}, {position} is asked for", field="at_least", current=reached)
