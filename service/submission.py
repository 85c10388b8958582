"""What goes to the Writer and what comes back: commands with their origin, and the answer."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from msgspec import Struct, field

from service.domain.rejections import Rejection


class Origin(Struct, frozen=True, kw_only=True):
    """Who asks, and in which trace. With *key*, the same *digest* of the request is answered only once.

    *screens* are texts by their SHA-256, stored in the same transaction. *render* turns the answer into the body that a
    repetition of the key gets, or says with None that the key is not used up yet; without it the handler renders anew.
    """

    actor: str
    correlation_id: str | None = None
    span_id: str | None = None
    key: str | None = None
    digest: bytes = b""
    screens: dict[str, str] = field(default_factory=dict)
    render: Callable[["Answer"], bytes | None] | None = None


def in_new_trace(actor: str) -> Origin:
    """Return the origin of what nobody asked for over HTTP: a trace of its own, without a span."""
    return Origin(actor=actor, correlation_id=uuid4().hex)


class Answer(Struct, frozen=True, kw_only=True):
    """What became of a submission: one result for each command, in order; *position* is that of its last event.

    Without an event, *position* is the head of the log. A repetition of an idempotency key is *replayed*, with the first
    *body* where one was rendered, and has no results.
    """

    position: int
    results: tuple[Any, ...] = ()
    replayed: bool = False
    body: bytes | None = None

    def only(self) -> Any:  # noqa: ANN401 - each command has its own reply
        """Return the reply of a single command, or raise its rejection."""
        result = self.results[0] if self.results else None
        if isinstance(result, Rejection):
            raise result
        return result
