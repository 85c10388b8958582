"""The status of one replica's exports, for people: their receiver, the last result, the last error."""

from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct

Result = Literal["success", "partial", "failure"]


class ExportStatus(Struct):
    """The exports of one signal to an *endpoint*; *accepted* and *rejected* are of the last one."""

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

    def note_error(self, why: str) -> None:
        """Note an error."""
        self.error, self.error_at = why, datetime.now(UTC)
