"""A double of the service, and real workers that run against it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.work.double import ServiceDouble
from tests.work.hand import Hand

Start = Callable[..., Hand]


@pytest.fixture
def service() -> Iterator[ServiceDouble]:
    """Play the service on a loopback port."""
    with ServiceDouble() as double:
        yield double


@pytest.fixture
def start(service: ServiceDouble, tmp_path: Path) -> Iterator[Start]:
    """Start workers; at the end nothing of them is left, nor of what they have started."""
    hands: list[Hand] = []

    def start(*options: str, command: tuple[str, ...]) -> Hand:
        usual = ("--campaign", "c", "--url", service.url, "--spool", str(tmp_path / "spool"), "--wait", "0.5")
        hands.append(Hand((*usual, *options), command))
        return hands[-1]

    yield start
    service.set_away(away=False)
    for hand in hands:
        hand.clear()
