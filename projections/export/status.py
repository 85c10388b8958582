"""How the exports of one replica stand, for people: where they go, what became of the last one, and what went wrong last."""

from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct

Result = Literal["success", "partial", "failure"]


class ExportStatus(Struct):
    """The exports of one signal to an *endpoint*; *rejected* counts what the receiver refused of the last one."""

    signal: str
    endpoint: str = ""
    protocol: str = ""
    result: Result | None = None
    at: datetime | None = None
    accepted: int = 0
    rejected: int = 0
    error: str | None = None
    error_at: datetime | None = None

    def record(self, result: Result, accepted: int, rejected: int) -> None:
        """Note an export that ended."""
        self.result, self.at, self.accepted, self.rejected = result, datetime.now(UTC), accepted, rejected

    def erred(self, why: str) -> None:
        """Note what went wrong."""
        self.error, self.error_at = why, datetime.now(UTC)
