"""What the ledger keeps: an entry for each unit, a book for each campaign, and what it may ask of them."""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from service.domain import events as e
from service.domain.policy import Policy

OPEN = ("blocked", "ready", "delayed", "parked", "running")
CLOSED = ("quarantined", "skipped", "cancelled")
WAITING = ("ready", "delayed", "parked", "running")
"""States in which a unit holds later groups back."""


class Entry(Struct):
    """What the log says of one unit; *book* counts its state."""

    book: "Book"
    group: int
    parents: tuple[str, ...]
    state: str = ""
    attempts: int = 0
    claims: int = 0
    fence: int = 0
    token: str | None = None
    held: bool = False
    given_up: bool = False
    run_without: bool = False

    def become(self, state: str) -> None:
        """Count the unit out of its state and into another."""
        for one, change in (self.state, -1), (state, +1):
            self.book.states[one] += change
            self.book.waiting[self.group] += change * (one in WAITING)
        self.state = state

    def give_up(self) -> None:
        """Let dependents run without this unit, where the policy says so now."""
        self.given_up = self.given_up or (self.book.policy.on_dependency_failure == "run" and self.book.ended != "cancelled")
        self.run_without = self.run_without or self.given_up


class Book(Struct):
    """What the log says of one campaign; *waiting* counts by group the units that hold later ones back.

    *asked* are the units of an open plan of which nothing was heard since.
    """

    policy: Policy
    auto: bool
    quota: str | None
    units: dict[str, Entry] = field(default_factory=dict)
    states: Counter[str] = field(default_factory=Counter)
    waiting: Counter[int] = field(default_factory=Counter)
    paused: bool = False
    ended: str | None = None
    failures: list[int] = field(default_factory=list)
    tripped: bool = False
    asked: set[str] = field(default_factory=set)

    def count(self, *states: str) -> int:
        """Count units in *states*."""
        return sum(self.states[state] for state in states)


class Ledger:
    """All campaigns, the engine, the gates and the levels, event by event."""

    def __init__(self, takers: "Takers") -> None:
        self.takers = takers
        self.position = 0
        self.at: datetime | None = None
        self.books: dict[str, Book] = {}
        self.tokens: dict[str, tuple[str, str]] = {}
        self.pool = 1000
        self.engine_paused = False
        self.shut: set[str] = set()
        self.levels: dict[str, str] = defaultdict(lambda: "healthy")
        self.unfit: set[str] = set()

    @property
    def in_use(self) -> int:
        """The slots in use."""
        return sum(book.count("running") for book in self.books.values())

    def take(self, event: e.Recorded) -> None:
        """Check one event and count it."""
        self.position += 1
        assert event.position == self.position, "positions have no holes"
        assert self.at is None or event.at >= self.at, "time does not go back"
        self.at = event.at
        taker = self.takers.get(type(event.body))
        if taker is not None:
            taker(self, event, event.body)

    def book(self, event: e.Recorded) -> Book:
        """Return the campaign of *event*."""
        assert event.campaign is not None
        return self.books[event.campaign]

    def entry(self, event: e.Recorded) -> Entry:
        """Return the unit of *event*."""
        assert event.unit is not None
        return self.book(event).units[event.unit]


def waited_for(book: Book, key: str) -> bool:
    """Tell whether somebody who depends on *key* waits for it."""
    parent = book.units[key]
    return parent.state != "done" and not parent.given_up


Takers = dict[type[e.Event], Callable[[Ledger, e.Recorded, Any], None]]
