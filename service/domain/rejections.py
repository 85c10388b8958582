"""Refusals: the closed set of answers that say no. A rejection stores nothing but what its decision recorded before.

Rejection
├── Validation          400  validation            a field breaks its shape
├── NotFound            404  not-found             nothing has that name
├── Conflict            409  conflict              wrong state, or the name is taken
├── StaleClaim          409  stale-claim           the token is no longer the unit's current claim
├── PreconditionFailed  412  precondition-failed   the version in If-Match is not the current one
└── Unprocessable       422  unprocessable         a cycle, a policy outside its limits, a reused idempotency key
    └── MissingDependency                          a unit depends on one that is not there, and may yet come
"""

from typing import Any, ClassVar


class Rejection(Exception):
    """A command is refused; *detail* says why, *fields* help the caller to mend it."""

    status: ClassVar[int]
    slug: ClassVar[str]
    title: ClassVar[str]

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


REJECTIONS: tuple[type[Rejection], ...] = (Validation, NotFound, Conflict, StaleClaim, PreconditionFailed, Unprocessable)
