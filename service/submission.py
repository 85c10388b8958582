"""What goes to the Writer and what it answers: commands with their origin, and their results."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol
from uuid import uuid4

from msgspec import Struct, field

from service.domain.commands import Command
from service.domain.rejections import Rejection

LOCAL_ADMIN = "local/admin"
"""The actor of every request while `MUSTER_AUTH` is off."""


class Origin(Struct, frozen=True, kw_only=True):
    """Who asks, and in which trace. With an idempotency *key*, a request with the same *digest* is decided only once.

    *screens* are texts by their SHA-256, stored in the same transaction. *render* returns the body that a repetition of the key
    gets, or None while the key counts as unused; without *render* the handler renders each repetition itself.
    """

    actor: str
    correlation_id: str | None = None
    span_id: str | None = None
    key: str | None = None
    digest: bytes = b""
    screens: dict[str, str] = field(default_factory=dict)
    render: Callable[["Answer"], bytes | None] | None = None


def in_new_trace(actor: str) -> Origin:
    """Return the origin of commands that come from no API request: a new trace without a parent span."""
    return Origin(actor=actor, correlation_id=uuid4().hex)


class Answer(Struct, frozen=True, kw_only=True):
    """The outcome of a submission: one reply or rejection for each command, in order, and the *position* of its last event.

    Without an event, *position* is the head of the log. A repetition of an idempotency key is *replayed*: it has no results,
    and the *body* of the first answer where one was stored.
    """

    position: int
    results: tuple[Any, ...] = ()
    replayed: bool = False
    body: bytes | None = None

    def only(self) -> Any:  # noqa: ANN401 - each command has its own reply
        """Return the reply to the only command, None when the answer is replayed.

        Raises:
            Rejection: the command was refused.

        """
        result = self.results[0] if self.results else None
        if isinstance(result, Rejection):
            raise result
        return result


class WriterPort(Protocol):
    """The Writer, as those see it that submit commands."""

    async def submit(self, commands: Sequence[Command], origin: Origin) -> Answer:
        """Decide *commands* in one transaction, each on its own.

        Raises:
            WriteUnavailable: the outcome is unknown; ask again with the same idempotency key.

        """
