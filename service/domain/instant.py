"""The type of a point in time in whatever the service answers or is sent."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

Instant = Annotated[datetime, Meta(tz=True, description="RFC 3339 with a zone.")]
"""With its zone; only so annotated the OpenAPI document gives it `format: date-time`."""
