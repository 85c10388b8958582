"""The diagnostic bundle of a campaign: its views, its last events, its workers and the metrics, cut to a size and redacted."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec

from projections.export import prometheus
from projections.export.snapshot import Snapshot, rows, take
from projections.export.status import ExportStatus
from projections.http.reads import events as log_events
from projections.http.reads.query_runner import READS
from projections.http.reads.reader import Reader
from projections.measures.process import Process
from projections.views.campaign.view import CampaignView
from projections.views.worker.view import heartbeat_summary
from service.domain import ids
from service.domain.content.redact import redact
from service.domain.content.screen import plain
from service.domain.rejections import ProjectionLagging
from service.store.log import event_log
from service.terminal_output import last_lines

SCHEMA_VERSION = 2
CATCH_UP_S = 2.0
SCREEN_BYTES = 16 * 1024
EVENTS, UNITS, SCREENS, WORKERS = 200, 2000, 20, 1000
MOST_TELLING_STATES: tuple[ids.UnitState, ...] = (
    "quarantined",
    "running",
    "delayed",
    "parked",
    "skipped",
    "blocked",
    "ready",
    "cancelled",
    "done",
)


class DiagnosticBundler:
    """Builds bundles; *settings* are the masked settings of this process, *exports* the status of its OTLP exports."""

    def __init__(self, reader: Reader, process: Process, settings: dict[str, Any], exports: Sequence[ExportStatus]) -> None:
        self._reader = reader
        self._process = process
        self._settings = settings
        self._exports = exports

    async def bundle(self, campaign: ids.CampaignName) -> bytes | None:
        """Return the redacted bundle of *campaign*, None when there is no such campaign."""
        await self._catch_up()
        view = await self._reader.campaign_view(campaign)
        if view is None:
            return None
        clock = await self._reader.row(READS.clock)
        assert clock is not None, "a clock always answers"
        workers = await self._reader.workers("", None, campaign, WORKERS, None)
        parts = {
            "schema_version": SCHEMA_VERSION,
            "generated_at": clock["at"],
            "campaign": view,
            "units": await self._units(view),
            "events": await self._events(campaign),
            "heartbeats": heartbeat_summary(workers),
            "workers": workers,
            "engine": await self._reader.engine(),
            "settings": self._settings,
            "exports": self._exports,
        }
        async with self._reader.connection() as connection:
            snapshot = await take(connection, self._reader.sizes, self._reader.shard)
        return await asyncio.to_thread(self._encode, parts, snapshot)

    async def _catch_up(self) -> None:
        """Wait a short time for the views to reach the head of the log; a service whose views lag needs a bundle all the same."""
        async with self._reader.connection() as connection:
            head = await event_log.head(connection, self._reader.shard)
        with suppress(ProjectionLagging):
            await self._reader.projector.at_least(head, CATCH_UP_S)

    def _encode(self, parts: dict[str, Any], snapshot: Snapshot) -> bytes:
        """Return the document with the metrics, encoded and redacted."""
        fleet, own = (
            prometheus.fleet(rows(snapshot), openmetrics=False),
            prometheus.process(self._process.registry, openmetrics=False),
        )
        parts["metrics"] = "".join((*fleet, *own))
        plain = msgspec.json.decode(msgspec.json.encode(parts))
        return msgspec.json.encode(redact(with_names_unredacted(plain)))

    async def _units(self, view: CampaignView) -> dict[str, Any]:
        """Return the counts, and the units that tell most about a failure first."""
        rows = [dict(row) for row in await self._reader.fetch(READS.striking_units, view.name, MOST_TELLING_STATES, UNITS)]
        names = [row["screen_id"] for row in rows if row["screen_id"] is not None and row["state"] == "quarantined"][:SCREENS]
        texts = {row["screen_id"]: row["text"] for row in await self._reader.fetch(event_log.QUERIES.screens, names)}
        for row in rows:
            text = texts.get(row["screen_id"])
            row["screen"] = None if text is None else last_lines(plain(text), SCREEN_BYTES)
        return {"counts": view.units, "shown": len(rows), "items": rows}

    async def _events(self, campaign: ids.CampaignName) -> list[log_events.LogEvent]:
        """Return the last events in order, without heartbeats, which the bundle summarises."""
        rows = await self._reader.fetch(READS.last_facts, campaign, EVENTS)
        return [log_events.fact(row) for row in reversed(rows)]


def with_names_unredacted(bundle: dict[str, Any]) -> dict[str, Any]:
    """Rename the fields `key` of our own, which redaction would take for a secret; payloads stay as they are."""
    for item in bundle["units"]["items"]:
        rename(item, "unit")
    for worker in bundle["workers"]:
        for claim in worker["claims"]:
            rename(claim, "unit")
    for quota in bundle["engine"]["quotas"]:
        rename(quota, "quota")
    for event in bundle["events"]:
        data = event["data"]
        rename(data, "quota")
        for unit in data.get("units", ()) if isinstance(data.get("units"), list) else ():
            rename(unit, "unit")
    return bundle


def rename(item: dict[str, Any], name: str) -> None:
    """Rename the field `key` of *item* to *name*."""
    if "key" in item:
        item[name] = item.pop("key")
