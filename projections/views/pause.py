"""The pause of a campaign or of the engine as it is read."""

from msgspec import Struct

from service.domain.instant import Instant


class PauseView(Struct, kw_only=True):
    """Since when, why and by whom."""

    reason: str | None
    since: Instant
    by: str | None
