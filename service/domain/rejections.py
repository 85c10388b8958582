"""Refusals: the closed set of answers that say no. A rejection stores nothing but what its decision recorded before.

Decisions refuse with the first six kinds. The last says that the service cannot answer now, whatever was asked.

Rejection
├── Validation          400  validation            a field breaks its shape
├── NotFound            404  not-found             nothing has that name
├── Conflict            409  conflict              wrong state, or the name is taken
├── StaleClaim          409  stale-claim           the token is no longer the unit's current claim
├── PreconditionFailed  412  precondition-failed   the version in If-Match is not the current one
├── Unprocessable       422  unprocessable         a cycle, a policy outside its limits, a reused idempotency key
│   └── MissingDependency                          a unit depends on one that is not there, and may yet come
└── Unavailable         503  unavailable           cannot be answered now; ask again after `Retry-After`
    ├── WriteUnavailable                           the Writer has no outcome: the database is away or slow, or the service stops
    └── ReadUnavailable                            the views cannot be read: the database is away or slow
        └── ProjectionLagging                      the views have not reached the position asked for in time
"""

from typing import Any, ClassVar

RETRY_AFTER_S = 1


class Rejection(Exception):
    """A command is refused; *detail* says why, *fields* help the caller to mend it."""

    status: ClassVar[int]
    slug: ClassVar[str]
    title: ClassVar[str]
    retry_after_s: ClassVar[int | None] = None
    """Seconds after which asking again may help, sent as `Retry-After`; None when asking again does not help."""

    def __init__(self, detail: str, **fields: Any) -> None:  # noqa: ANN401 - free members of a problem document
        super().__init__(detail)
        self.detail = detail
        self.fields = fields


class Validation(Rejection):
    """A field breaks its shape."""

    status, slug, title = 400, "validation", "The request is not valid"


class NotFound(Rejection):
    """Nothing has that name."""

    status, slug, title = 404, "not-found", "Not found"


class Conflict(Rejection):
    """The thing is in a state that does not allow this."""

    status, slug, title = 409, "conflict", "Conflict with the current state"


class StaleClaim(Rejection):
    """The token is no longer the unit's current claim; the work was handed on or taken back."""

    status, slug, title = 409, "stale-claim", "The claim is no longer current"


class PreconditionFailed(Rejection):
    """The version that the caller saw is not the current one."""

    status, slug, title = 412, "precondition-failed", "The version is stale"


class Unprocessable(Rejection):
    """Well-formed, and yet it cannot be done: a cycle, a policy outside its limits."""

    status, slug, title = 422, "unprocessable", "The request cannot be processed"


class MissingDependency(Unprocessable):
    """A unit depends on one that is neither in the campaign nor in its import."""


class Unavailable(Rejection):
    """The database is away, or what was asked for is not visible yet; ask again after `Retry-After`."""

    status, slug, title = 503, "unavailable", "Unavailable"
    retry_after_s = RETRY_AFTER_S


class WriteUnavailable(Unavailable):
    """The Writer cannot say that the commands are stored; asked again with the same idempotency key, nothing happens twice."""

    def __init__(self, cause: str, **fields: Any) -> None:  # noqa: ANN401 - as above
        super().__init__(f"{cause}; what is not confirmed may or may not be stored", **fields)


class ReadUnavailable(Unavailable):
    """The views cannot be read now."""


class ProjectionLagging(ReadUnavailable):
    """The views have not reached the position asked for in time."""

    def __init__(self, position: int, reached: int) -> None:
        super().__init__(f"the views are at position {reached}, {position} is asked for", field="at_least", current=reached)


REJECTIONS: tuple[type[Rejection], ...] = (Validation, NotFound, Conflict, StaleClaim, PreconditionFailed, Unprocessable)
"""The kinds with which a decision refuses a command."""
