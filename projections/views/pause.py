"""The pause of a campaign or of the engine as it is read."""

from datetime import datetime

from msgspec import Struct


class PauseView(Struct, kw_only=True):
    """Since when, why and by whom."""

    reason: str | None
    since: datetime
    by: str | None
