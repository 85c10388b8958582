"""The comparison of live and rebuilt rows, field by field."""

import json
from collections.abc import Sequence
from typing import Any

import asyncpg
from msgspec import Struct

from projections.rebuild.shadow import TABLES
from service.store.db.queries import load

DIFFERENCE = load("difference", package="projections")


class Difference(Struct, frozen=True):
    """One field that differs from the fold of the log, which has *rebuilt*."""

    table: str
    key: dict[str, Any]
    field: str
    live: Any
    rebuilt: Any

    def line(self) -> str:
        """Return the difference in one line."""
        named = " ".join(f"{name}={value!r}" for name, value in self.key.items())
        return f"{self.table} {named}: {self.field} is {self.live!r}, the log says {self.rebuilt!r}"


KEYS = {
    "campaigns": ("name",),
    "groups": ("campaign", "grp"),
    "units": ("campaign", "key"),
    "dependencies": ("campaign", "parent", "child"),
    "fanouts": ("campaign", "unit"),
    "claims": ("token",),
    "workers": ("worker",),
    "quotas": ("key",),
    "investigations": ("id",),
    "recoveries": ("id",),
    "campaign_card": ("campaign",),
    "worker_card": ("worker",),
    "quota_card": ("quota",),
    "quarantine_card": ("campaign", "unit"),
    "wave_card": ("campaign", "wave"),
    "unit_wave": ("campaign", "unit"),
    "ledger_mark": ("campaign", "position"),
    "silence": ("campaign", "position"),
    "unit_group": ("campaign", "unit", "position"),
    "series": ("family", "labels"),
}
"""The columns that name a row of a table; the engine has one row."""


STATE = TABLES
CARDS = tuple(table for table, _ in DIFFERENCE if table not in TABLES)


async def first_difference(connection: asyncpg.Connection, tables: Sequence[str], *parameters: int) -> Difference | None:
    """Return the first row of *tables* that differs; for cards, *parameters* are the shard and the two generations."""
    for table in tables:
        row = await connection.fetchrow(getattr(DIFFERENCE, table), *parameters)
        if row is not None:
            return difference(table, row["live"], row["rebuilt"])
    return None


def difference(table: str, live: str | None, rebuilt: str | None) -> Difference:
    """Return the first field in which two rows of a table differ."""
    some = json.loads(live or rebuilt or "{}")
    return field_difference(table, {name: some[name] for name in KEYS.get(table, ())}, live, rebuilt)


def field_difference(table: str, key: dict[str, Any], live: str | None, rebuilt: str | None) -> Difference:
    """Return the first field in which two rows with the same *key* differ."""
    ours, theirs = (None if text is None else json.loads(text) for text in (live, rebuilt))
    if ours is None or theirs is None:
        return Difference(table, key, "row", "absent" if ours is None else "there", "absent" if theirs is None else "there")
    field, left, right = first_field(ours, theirs, "")
    return Difference(table, key, field, left, right)


def first_field(live: Any, rebuilt: Any, path: str) -> tuple[str, Any, Any]:  # noqa: ANN401 - any JSON
    """Return the path and the two values of the first field that differs.

    >>> first_field({"a": {"b": 1}}, {"a": {"b": 2}}, "")
    ('a.b', 1, 2)
    """
    if isinstance(live, dict) and isinstance(rebuilt, dict):
        for name in sorted(live.keys() | rebuilt.keys()):
            if live.get(name) != rebuilt.get(name):
                return first_field(live.get(name), rebuilt.get(name), f"{path}.{name}" if path else name)
    return path, live, rebuilt
