"""The type of a table of folds: each event's own way of changing the state."""

from collections.abc import Callable
from typing import Any

from service.domain.events import Event, Recorded
from service.domain.state import State

Folds = dict[type[Event], Callable[[State, Any, Recorded], None]]
