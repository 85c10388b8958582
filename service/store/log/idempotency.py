"""Idempotency: a request that is repeated under its `Idempotency-Key` gets its first answer again, and decides nothing.

The Writer stores the key of a request in the transaction of its events. A body that is known only after the commit, such as
a view, is added afterwards by `IdempotencyStore`.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg
from msgspec import Struct

from service.domain.ids import SHARD
from service.domain.rejections import Rejection, Unprocessable
from service.store.db.pool import is_unanswered
from service.store.log.event_log import QUERIES, Connection, columns
from service.submission import Answer, Origin

LOG = logging.getLogger(__name__)
RETENTION = timedelta(hours=24)
"""How long a key is answered from its record; after that it counts as never used, and retention deletes it."""


class IdempotencyRecord(Struct, frozen=True):
    """The first answer to a key; *new* when the transaction in hand decided it."""

    digest: bytes
    position: int
    body: bytes | None
    new: bool = True


class IdempotencyKeys:
    """The keys of one transaction of the Writer: those that were answered before, and those that it answers."""

    def __init__(self) -> None:
        self._records: dict[str, IdempotencyRecord] = {}

    async def load(self, connection: Connection, origins: Sequence[Origin], at: datetime) -> None:
        """Read the records of the keys in *origins* that are not older than `RETENTION`."""
        keys = [origin.key for origin in origins if origin.key is not None]
        if keys:
            for row in await connection.fetch(QUERIES.keys, SHARD, keys, at - RETENTION):
                self._records[row["key"]] = IdempotencyRecord(row["digest"], row["position"], row["body"], new=False)

    def recorded_answer(self, origin: Origin, commands: int, position: int) -> Answer | None:
        """Return what the key of *origin* was answered; None when the request has to be decided.

        A key that belongs to another request refuses each of the *commands*, at *position*.
        """
        record = None if origin.key is None else self._records.get(origin.key)
        if record is None:
            return None
        if record.digest == origin.digest:
            return Answer(position=record.position, replayed=True, body=record.body)
        refusal = Unprocessable("this Idempotency-Key was used with another request", field="Idempotency-Key")
        return Answer(position=position, results=(refusal,) * commands)

    def record(self, origin: Origin, answer: Answer, *, stored_events: bool) -> None:
        """Note *answer* under the key of *origin*, unless the request used the key for nothing.

        A request whose commands were all refused leaves its key unused: repeated, it is decided again. The same holds for an
        answer that `Origin.render` does not want kept, such as a claim that found nothing and still waits. A refusal that
        stored events all the same is kept when it has a body.
        """
        if origin.key is None:
            return
        accepted = not all(isinstance(result, Rejection) for result in answer.results)
        body = origin.render(answer) if origin.render is not None and (accepted or stored_events) else None
        if body is not None or (accepted and origin.render is None):
            self._records[origin.key] = IdempotencyRecord(origin.digest, answer.position, body)

    async def save(self, connection: Connection, at: datetime) -> None:
        """Store the records that this transaction made."""
        made = [(key, record.digest, record.position, record.body) for key, record in self._records.items() if record.new]
        if made:
            await connection.execute(QUERIES.keep_keys, SHARD, at, *columns(made))


class IdempotencyStore:
    """Adds the bodies of first answers to keys that the Writer has stored."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def keep(self, key: str, status: int, body: bytes) -> None:
        """Store the body of the first answer to *key*.

        The request itself is committed, so no error here is its failure: a repetition then gets the view of its time.
        """
        try:
            await self._pool.execute(QUERIES.keep_body, SHARD, key, status, body)
        except Exception as error:
            bug = None if is_unanswered(error) else error
            LOG.warning("the body of an answer was not stored for a repetition: %s", type(error).__name__, exc_info=bug)


async def delete_expired(connection: Connection, at: datetime) -> None:
    """Delete the records older than `RETENTION`."""
    await connection.execute(QUERIES.forget_keys, SHARD, at - RETENTION)
