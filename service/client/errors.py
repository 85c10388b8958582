"""What goes wrong between a client and the service.

ServiceError
├── AwayError      no answer, or one that says "later": the same request may succeed when it is sent again
└── RefusedError   an answer that sending the same request again does not change
"""

from msgspec import Struct

SERVER_ERROR = 500
LOST_CLAIM_TYPES = ("/stale-claim", "/not-found")
RETRYABLE = frozenset({401, 403, 408, 425, 429})
"""Statuses below 500 that say nothing about the report: the token, the rights or the load may change."""


class ApiProblem(Struct, frozen=True):
    """Why the service refused: a problem document of RFC 9457."""

    type: str = "about:blank"
    title: str = ""
    status: int = 400
    detail: str = ""

    @property
    def stale(self) -> bool:
        """Say whether the token is not, or no longer, the unit's claim."""
        return self.type.endswith(LOST_CLAIM_TYPES)

    @property
    def retryable(self) -> bool:
        """Say whether the service may accept the same report later."""
        return self.status >= SERVER_ERROR or self.status in RETRYABLE

    @property
    def summary(self) -> str:
        """Return the problem as one line for a log."""
        return f"{self.status} {self.title}: {self.detail}"

    @property
    def explanation(self) -> str:
        """Return what a person needs to read: the detail, else the title, else the status."""
        return self.detail or self.title or f"status {self.status}"


class ServiceError(Exception):
    """The service did not do what it was asked to do."""


class AwayError(ServiceError):
    """No answer came, or one that says "later"."""

    def __init__(self, why: str, retry_after_s: float = 0.0) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s


class RefusedError(ServiceError):
    """The service understood the request and refused it."""

    def __init__(self, problem: ApiProblem) -> None:
        super().__init__(problem.summary)
        self.problem = problem
