"""What SQL counts: the log by the terms of a family or by what lies between two events, the tables of the state for gauges."""

from collections import defaultdict

import asyncpg

from ops.prove.families import FAMILIES
from ops.prove.formula import Labels, Total
from ops.prove.numbers import Numbers, gauge, subjects
from service.store.db.queries import load

BETWEEN = load("between", package="ops.prove")
STATE = load("state", package="ops.prove")
HIDDEN = load("hidden", package="ops.prove")
LOG = """
WITH log AS (
    SELECT
        position, recorded_at, CASE kind WHEN 'unit.spread' THEN 'unit.fanout' ELSE kind END AS kind, campaign, unit, worker, data
    FROM events
    WHERE position <= $1::bigint
    UNION ALL
    SELECT
        position, recorded_at, CASE WHEN unit IS NULL THEN 'worker.heartbeat' ELSE 'unit.heartbeat' END, campaign, unit, worker,
        '{}'::jsonb
    FROM heartbeats
    WHERE position <= $1::bigint
)
"""
SPANS = (
    "muster_quarantine_age_seconds", "muster_skip_cascade_units", "muster_heartbeat_interval_seconds", "muster_waves_total",
    "muster_wave_duration_seconds", "muster_wave_units", "muster_campaign_wave",
)  # fmt: skip
"""What lies between two events of one subject."""


async def counted(connection: asyncpg.Connection, position: int) -> Numbers:
    """Return what SQL counts in the log up to *position*, and in the tables of the state."""
    found: Numbers = {}
    for name, terms in FAMILIES.items():
        series: dict[Labels, Total] = defaultdict(Total)
        for term in terms:
            for *labels, count, total in await connection.fetch(LOG + term.sql(), position):
                series[tuple(labels)] = series[tuple(labels)].plus(count, total)
        found[name] = series
    found |= {name: {} for name in SPANS}
    for _, query in BETWEEN:
        for name, labels, count, total in await connection.fetch(query, position):
            found[name][tuple(labels)] = Total(count, total or 0)
    for name, query in STATE:
        found[name] = {tuple(labels): gauge(name, value) for *labels, value in await connection.fetch(query)}
    return found


async def hidden(connection: asyncpg.Connection, shown: Numbers, known: Numbers) -> set[tuple[str, str]]:
    """Return who is not *shown* by name, and need not be: ended long ago, or more than the caps allow."""
    ended = {(entity, name) for entity, name in await connection.fetch(HIDDEN.ended)}
    dropped = {labels[0] for labels, total in shown["muster_metrics_dropped_entities"].items() if total.count}
    missing = subjects(known) - subjects(shown)
    return {(entity, name) for entity, name in missing if (entity, name) in ended or entity in dropped}
