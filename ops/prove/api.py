"""What the API tells: its log counted once more, what only a fold knows folded from it, and its views."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import msgspec

from ops.prove.families import FAMILIES
from ops.prove.formula import Labels, Total, over
from ops.prove.numbers import Numbers, gauge
from ops.prove.tables import STATE
from projections.measures.series_store import SeriesStore
from projections.projector import ProjectionState
from projections.store import Checkpoint
from projections.views.fold import ReadModels
from service.domain.events import KINDS, Recorded

LEVELS = ("healthy", "warn", "stale", "dead")
NOT_IN_API = frozenset(
    {
        "muster_campaign_oldest_ready_timestamp_seconds", "muster_campaign_paused_since_timestamp_seconds",
        "muster_quota_parked_since_timestamp_seconds", "muster_projection_position", "muster_projection_lag_events",
        "muster_projection_generation", "muster_metrics_fold_position", "muster_metrics_dropped_entities",
    }
)  # fmt: skip
"""Gauges that the API does not show."""


def numbers_from_api(client: httpx.Client, position: int) -> Numbers:
    """Return every number that the API gives up to a position."""
    events = [event for event in pages(client, "/v1/events") if event["position"] <= position]
    found = over(events, FAMILIES)
    fold = ProjectionState(Checkpoint(0, 0, 0), ReadModels(), SeriesStore())
    fold.take([recorded(event) for event in events])
    for (name, labels), series in fold.series_store.series.items():
        if name not in FAMILIES:
            found.setdefault(name, {})[labels] = Total(series.value, series.sum_us)
    return found | viewed(client, events)


def viewed(client: httpx.Client, events: list[dict[str, Any]]) -> Numbers:
    """Return the gauges that the views show."""
    said: dict[str, dict[Labels, Any]] = {name: {} for name, _ in STATE if name not in NOT_IN_API}
    campaigns, workers = list(pages(client, "/v1/campaigns")), list(pages(client, "/v1/workers"))
    quotas, engine = list(pages(client, "/v1/quotas")), client.get("/v1/engine").json()
    for view in campaigns:
        campaign(said, view, {quota["key"]: quota for quota in quotas}.get(view["quota"]), engine)
    for name, count in Counter(
        campaign for worker in workers for campaign in {one["campaign"] for one in worker["claims"]}
    ).items():
        said["muster_campaign_workers"][name,] = count
    for event in events:
        if event["kind"] == "unit.completed":
            said["muster_campaign_last_progress_timestamp_seconds"][event["campaign"],] = instant(event["recorded_at"])
    for view in workers:
        worker(said, view)
    for view in quotas:
        quota(said, view)
    totals(said, campaigns, workers, engine)
    return {name: {labels: gauge(name, value) for labels, value in series.items()} for name, series in said.items()}


def campaign(
    said: dict[str, dict[Labels, Any]], view: dict[str, Any], gate: dict[str, Any] | None, engine: dict[str, Any]
) -> None:
    """Add what a campaign's view says."""
    name, labels, over = view["name"], view["labels"], view["completed_at"] or view["cancelled_at"]
    said["muster_campaign_info"][name, name, labels.get("project", ""), labels.get("kind", "")] = 1
    said["muster_campaign_state"][name, view["state"]] = 1
    said["muster_campaign_progress_ratio"][name,] = view["progress"]
    said["muster_campaign_consecutive_failures"][name,] = view["breaker"]["consecutive_failures"]
    said["muster_campaign_safety_cap"][name,] = view["breaker"]["threshold"]
    for state in states(view):
        said["muster_campaign_units"][name, state] = view["units"][state]
    instants = {"deadline": view["deadline"], "started": view["started_at"], "finished": view["cancelled_at"] or over}
    for what, at in (instants | {"last_progress": view["started_at"]}).items():
        if at is not None:
            said[f"muster_campaign_{what}_timestamp_seconds"][name,] = instant(at)
    closed = gate is not None and gate["gate"] == "closed"
    reasons = {
        "operator": view["paused"] is not None, "safety_cap": view["breaker"]["tripped"], "quota": closed,
        "engine": engine["state"] == "paused",
    }  # fmt: skip
    for reason, holds in reasons.items():
        said["muster_campaign_paused"][name, reason] = int(holds and over is None)


def worker(said: dict[str, dict[Labels, Any]], view: dict[str, Any]) -> None:
    """Add what a worker's view says."""
    name = view["worker"]
    said["muster_worker_info"][name, view["labels"].get("host", ""), view["version"] or "", "default"] = 1
    said["muster_worker_last_heartbeat_timestamp_seconds"][name,] = instant(view["last_heartbeat_at"])
    said["muster_worker_leases"][name,] = len(view["claims"])
    if view["level"] is not None:
        said["muster_worker_heartbeat_level"][name,] = LEVELS.index(view["level"])


def quota(said: dict[str, dict[Labels, Any]], view: dict[str, Any]) -> None:
    """Add what a quota's view says."""
    if view["resume_at"] is not None:
        said["muster_quota_resume_timestamp_seconds"][view["key"],] = instant(view["resume_at"])
    if view["utilization"] is not None:
        said["muster_quota_used_ratio"][view["key"], "current"] = view["utilization"]


def totals(
    said: dict[str, dict[Labels, Any]], campaigns: list[dict[str, Any]], workers: list[dict[str, Any]], engine: dict[str, Any]
) -> None:
    """Add what the views say together."""
    parked: Counter[str] = Counter()
    for view in campaigns:
        parked[view["quota"] or "none"] += view["units"]["parked"]
    said["muster_quota_parked_units"] = {(key,): count for key, count in parked.items()}
    said["muster_campaigns"] = {(state,): count for state, count in Counter(view["state"] for view in campaigns).items()}
    said["muster_units"] = {
        (state,): sum(view["units"][state] for view in campaigns) for state in (states(campaigns[0]) if campaigns else ())
    }
    levels = Counter(view["level"] for view in workers if view["level"] is not None)
    said["muster_workers"] = {(level,): count for level, count in levels.items()}
    said["muster_leases"][()] = sum(len(view["claims"]) for view in workers)
    said["muster_pool_active"]["default",] = engine["pool"]["in_use"]
    said["muster_pool_capacity"]["default",] = engine["pool"]["size"]
    said["muster_engine_paused"][()] = int(engine["state"] == "paused")
    said["muster_event_store_position"][()] = engine["position"]


def states(view: dict[str, Any]) -> list[str]:
    """Return the states of units."""
    return [state for state in view["units"] if state != "total"]


def instant(text: str) -> float:
    """Return an instant in seconds since 1970."""
    return datetime.fromisoformat(text).timestamp()


def pages(client: httpx.Client, path: str) -> Iterator[dict[str, Any]]:
    """Yield the items of a list."""
    cursor: dict[str, str] = {}
    while True:
        page = client.get(path, params={"limit": "1000", **cursor}).raise_for_status().json()
        yield from page["items"]
        if page["next"] is None:
            return
        cursor = {"after": str(page["next"])}


def recorded(event: dict[str, Any]) -> Recorded:
    """Return an event of the API as the fold takes it."""
    body = msgspec.json.decode(msgspec.json.encode(event["data"]), type=KINDS[event["kind"]])
    at = datetime.fromisoformat(event["recorded_at"])
    return Recorded(event["position"], at, body, event.get("campaign"), event.get("unit"), event.get("worker"))
