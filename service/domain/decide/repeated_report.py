"""The report that ended a claim, and the answer to the same report sent again."""

from hashlib import blake2b

import msgspec
from msgspec import Raw

from service.domain import ids
from service.domain.commands import Report, ReportReply
from service.domain.state import State


def report_document(command: Report, kind: str) -> Raw:
    """Return the report as it came, with its type; what was left out stays out."""
    said = {field: value for field in command.__struct_fields__ if (value := getattr(command, field)) is not None}
    return Raw(msgspec.json.encode({"type": kind, **said}))


def report_digest(command: Report, kind: str) -> str:
    """Return the digest by which an ending report is recognised when it comes again, whatever route it takes.

    The worker's name is left out: the routes of one report do not carry it.
    """
    return blake2b(report_document(msgspec.structs.replace(command, worker=None), kind), digest_size=8).hexdigest()


def first_answer(state: State, token: ids.Token, digest: str) -> ReportReply | None:
    """Return the answer that the same report was given before; None when it ends the claim now, or differs from what did."""
    ending = state.endings.get(token)
    return ReportReply(ending.state) if ending is not None and ending.digest == digest else None
