"""What every event is: a frozen payload with a kind and a schema version."""

from typing import ClassVar

from msgspec import Struct


class Event(Struct, frozen=True, kw_only=True):
    """What happened. *kind* is its name in the log, *schema* the version of its payload."""

    kind: ClassVar[str]
    schema: ClassVar[int] = 1
