"""An invented night, as the series that two replicas would have exposed: a dead worker, a closed quota, a trip."""

import math
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import NamedTuple
from zlib import crc32

from projections.measures.catalogue import CATALOGUE
from tests.dashboards.promql import Family, families

END, HOURS, STEP = 1_763_618_400, 6, 60
START = END - HOURS * 3600
TIMES = range(START, END + STEP, STEP)
REPLICAS = ("a:8110", "b:8110")
CAMPAIGNS = {"nightly": 900, "docs": 300, "migration": 500, "flaky-tests": 200}
WORKERS = tuple(f"w-{number}" for number in range(1, 11))
Labels = dict[str, str]
Course = Callable[[int], float | None]

# Values of labels whose set is open, or not yet in the catalogue.
OPEN: dict[str, tuple[str, ...]] = {
    "campaign": tuple(CAMPAIGNS), "worker": WORKERS, "quota": ("anthropic", "openai"), "window": ("5h",), "pool": ("default",),
    "method": ("GET", "POST"), "route": ("/v1/claims", "/v1/reports", "/v1/campaigns"), "code": ("200", "409", "503"),
    "sweep": ("reaper", "retry", "quota", "heartbeat"), "projection": ("views",), "relation": ("event", "unit", "campaign_card"),
    "operation": ("append", "load_claims", "save_view"), "sqlstate_class": ("08", "40"), "scope": ("fleet", "process"),
    "reason": ("other", "max_attempts"), "result": ("success", "failed", "failure"), "outcome": ("completed", "failed"),
    "action": ("retry", "discard"), "state": ("used", "idle"), "entity": ("campaign", "worker"), "to": ("healthy", "warn"),
    "event": ("granted", "expired"), "by": ("human", "success"), "trigger": ("auto", "manual"), "captured": ("true", "false"),
    "level": ("healthy", "warn", "stale", "dead"), "watchdog": ("idle_output", "max_duration"), "kind": ("unit.claimed",),
    "version": ("0.1.0",), "commit": ("abc1234",), "schema": ("0001",), "python": ("3.11.7",), "host": ("host-1",),
    "campaign_id": ("01J0",), "project": ("core",),
}  # fmt: skip
RARE = {"quarantined", "failed", "expired", "503", "exhausted", "dead", "fenced", "partial", "failure", "rejected", "dropped"}
RARE |= {"40", "08", "cancelled", "skipped"}
SELDOM = re.compile(
    "errors|failures_total|leader_changes|trips|resets|campaign_transitions|campaign_duration|recover|diagnostics|limited"
)
NEVER = re.compile("divergences|projection_errors")
ABSENT = {"muster_campaign_finished_timestamp_seconds", "muster_projection_rebuild_ratio"}


class Sample(NamedTuple):
    """One line of the exposition without its time."""

    name: str
    labels: Labels
    course: Course


def exposition() -> Iterator[str]:
    """Yield the lines of the whole night, in OpenMetrics."""
    for family in families().values():
        if family.name not in ABSENT:
            kind = "gauge" if family.kind == "info" else family.kind
            yield f"# TYPE {family.name.removesuffix('_total') if kind == 'counter' else family.name} {kind}"
            yield from written(samples(family))
    yield from written(foreign())
    yield "# EOF"


def written(samples: Iterable[Sample]) -> Iterator[str]:
    """Yield each sample at each time, for each replica."""
    for sample in samples:
        for replica in [sample.labels["instance"]] if "instance" in sample.labels else REPLICAS:
            text = ",".join(
                f'{name}="{value}"' for name, value in {**sample.labels, "instance": replica, "job": "muster"}.items()
            )
            for at in TIMES:
                value = sample.course(at)
                if value is not None:
                    yield f"{sample.name}{{{text}}} {value!r} {at}"


def samples(family: Family) -> Iterator[Sample]:
    """Yield the series of *family*."""
    for labels in combinations(family):
        share = (crc32(f"{family.name}{labels}".encode()) % 1000 + 200) / 1200
        share *= 0.04 if RARE & set(labels.values()) else 1
        share *= 0 if NEVER.search(family.name) else 0.002 if SELDOM.search(family.name) else 1
        if family.kind == "counter":
            yield Sample(family.name, labels, counted(share / (4 if family.scope == "F" else 1)))
        elif family.kind == "histogram":
            yield from distribution(family, labels, share / (4 if family.scope == "F" else 1))
        elif family.name == "muster_leader":
            yield Sample(family.name, {"instance": REPLICAS[0]}, lambda at: float(at < START + 9_000))
            yield Sample(family.name, {"instance": REPLICAS[1]}, lambda at: float(at > START + 9_030))
        else:
            yield Sample(family.name, labels, LEVELS.get(family.name, steady)(labels))


def combinations(family: Family) -> Iterator[Labels]:
    """Yield the labels of each series; a state series exists for one state of a campaign alone."""
    known = CATALOGUE[family.name].labels if family.name in CATALOGUE else {}
    choices = [known.get(label) or OPEN[label] for label in family.labels]
    for values in product(*choices):
        labels = dict(zip(family.labels, values, strict=True))
        unlikely = family.name == "muster_campaign_state" and labels["state"] != "running"
        if not unlikely:
            yield labels


def busy(at: int) -> float:
    """Return how much goes on, from 0 to 1.2: the quota is closed in the third hour, an incident in the fifth."""
    hour = (at - START) / 3600
    return 0.08 if 2.2 < hour < 3.1 else 0.8 + 0.4 * math.sin(hour * 2.1)


GONE = [0.0]
for _at in TIMES:
    GONE.append(GONE[-1] + busy(_at) * STEP)


def done(at: int) -> float:
    """Return the work done until *at*, in seconds of a busy fleet."""
    return GONE[(at - START) // STEP]


def counted(rate: float) -> Course:
    """Return a counter that grows with the work."""
    return lambda at: float(int(rate * done(at)))


def distribution(family: Family, labels: Labels, rate: float) -> Iterator[Sample]:
    """Yield the buckets, sum and count of a histogram around its middle bound."""
    middle = len(family.buckets) / (2.2 if family.scope == "F" else 4)
    for index, bound in enumerate((*family.buckets, math.inf)):
        share = 1.0 if math.isinf(bound) else 1 / (1 + math.exp(-(index - middle) * 1.8))
        le = "+Inf" if math.isinf(bound) else f"{bound:g}"
        yield Sample(f"{family.name}_bucket", {**labels, "le": le}, counted(rate * share))
    yield Sample(f"{family.name}_sum", labels, counted(rate * family.buckets[int(middle)]))
    yield Sample(f"{family.name}_count", labels, counted(rate))


def steady(labels: Labels) -> Course:
    """Return a small number that comes and goes."""
    size = crc32(f"{labels}".encode()) % 5 + 1
    return lambda at: round(size * busy(at), 2)


def constant(value: float) -> Callable[[Labels], Course]:
    """Return a level that does not change."""
    return lambda _: lambda _: value


def clock(offset: float) -> Callable[[Labels], Course]:
    """Return a time some seconds from the present."""
    return lambda _: lambda at: at + offset


def part(labels: Labels, at: int) -> float:
    """Return how much of a campaign is done."""
    return min(done(at) / GONE[-1] * (0.5 + crc32(labels["campaign"].encode()) % 50 / 100), 1.0)


def units(labels: Labels) -> Course:
    """Return the units of a campaign, or of all, in one state."""
    names = [labels["campaign"]] if "campaign" in labels else list(CAMPAIGNS)
    shares: dict[str, Callable[[float], float]] = {
        "done": lambda gone: gone * 0.94, "quarantined": lambda gone: gone * 0.04, "skipped": lambda gone: gone * 0.02,
        "running": lambda _: 0.012, "ready": lambda gone: (1 - gone) * 0.6, "blocked": lambda gone: (1 - gone) * 0.37,
        "parked": lambda _: 0.01, "delayed": lambda _: 0.008,
    }  # fmt: skip
    share: Callable[[float], float] = shares.get(labels["state"], lambda _: 0.0)

    def course(at: int) -> float:
        counts = [CAMPAIGNS[name] * share(part({"campaign": name}, at)) for name in names]
        return sum(math.floor(count) for count in counts)

    return course


def silence(labels: Labels) -> Callable[[int], float]:
    """Return how long a worker has been silent: a saw-tooth, but one worker dies in the fifth hour."""
    worker = WORKERS.index(labels["worker"])
    died = START + 17_000
    return lambda at: float(at - died) if worker == 3 and at > died else (at * (worker + 3)) % 23 + (30 if worker == 7 else 1)


def level(labels: Labels) -> Course:
    """Return the heartbeat level of a worker."""
    silent = silence(labels)
    return lambda at: float([silent(at) > limit for limit in (30, 60, 300)].count(True))


def workers(labels: Labels) -> Course:
    """Return how many workers stand at a level."""
    wanted = ("healthy", "warn", "stale", "dead").index(labels["level"])
    courses = [level({"worker": worker}) for worker in WORKERS]
    return lambda at: float([course(at) for course in courses].count(wanted))


def tripped(labels: Labels) -> Course:
    """Return the pauses of a campaign: one trips in the fifth hour."""
    ours = (labels["campaign"], labels["reason"]) == ("flaky-tests", "safety_cap")
    return lambda at: float(ours and START + 15_000 < at < START + 19_000)


def closed(value: Callable[[int], float]) -> Callable[[Labels], Course]:
    """Return a level that is there only while the first quota is closed, and at the very end."""
    return lambda labels: (
        lambda at: value(at) if labels["quota"] == "anthropic" and (8_000 < at - START < 11_000 or at > END - 1_800) else None
    )


LEVELS: dict[str, Callable[[Labels], Course]] = {
    "muster_units": units,
    "muster_campaign_units": units,
    "muster_campaigns": lambda labels: lambda _: {"running": 4.0, "completed": 11.0}.get(labels["state"], 0.0),
    "muster_campaign_state": constant(1),
    "muster_campaign_info": constant(1),
    "muster_worker_info": constant(1),
    "muster_build_info": constant(1),
    "muster_campaign_paused": tripped,
    "muster_campaign_progress_ratio": lambda labels: lambda at: 0.94 * part(labels, at),
    "muster_campaign_eta_timestamp_seconds": lambda labels: lambda at: END + 9_000 * (1.6 - part(labels, at)),
    "muster_campaign_deadline_timestamp_seconds": lambda labels: lambda _: END + 4_000.0 + 900 * len(labels["campaign"]),
    "muster_campaign_started_timestamp_seconds": constant(START),
    "muster_campaign_last_progress_timestamp_seconds": lambda _: lambda at: at - at % 420,
    "muster_campaign_oldest_ready_timestamp_seconds": lambda _: lambda at: at - at % 1_100,
    "muster_campaign_paused_since_timestamp_seconds": constant(START + 15_000),
    "muster_campaign_safety_cap": constant(3),
    "muster_campaign_consecutive_failures": lambda labels: lambda at: float((at // 1_500 + len(labels["campaign"])) % 4),
    "muster_campaign_throughput_units_per_second": lambda _: lambda at: 0.02 * busy(at),
    "muster_campaign_wave": lambda labels: lambda at: float(int(1 + 6 * part(labels, at))),
    "muster_retries_overdue": constant(0),
    "muster_leases_overdue": constant(0),
    "muster_workers": workers,
    "muster_worker_heartbeat_level": level,
    "muster_worker_last_heartbeat_timestamp_seconds": lambda labels: lambda at: at - silence(labels)(at),
    "muster_heartbeat_staleness_max_seconds": lambda _: lambda at: max(silence({"worker": worker})(at) for worker in WORKERS),
    "muster_leases": lambda _: lambda at: float(round(9 * busy(at))),
    "muster_quota_parked_units": closed(lambda _: 38),
    "muster_quota_parked_since_timestamp_seconds": closed(lambda at: START + 8_000 if at < END - 3_000 else END - 1_800),
    "muster_quota_resume_timestamp_seconds": closed(lambda at: START + 11_000 if at < END - 3_000 else END + 5_400),
    "muster_quota_used_ratio": lambda labels: lambda at: ((at - START) % 14_000) / 14_000 * len(labels["quota"]) / 9,
    "muster_pool_capacity": constant(12),
    "muster_pool_active": lambda _: lambda at: float(round(9 * busy(at))),
    "muster_engine_paused": constant(0),
    "muster_event_store_position": lambda _: lambda at: float(int(40 * done(at))),
    "muster_metrics_fold_position": lambda _: lambda at: float(int(40 * done(at))),
    "muster_projection_position": lambda _: lambda at: float(int(40 * done(at))),
    "muster_projection_generation": constant(2),
    "muster_projection_lag_events": lambda _: lambda at: float(at % 9),
    "muster_projection_lag_seconds": lambda _: lambda at: (at % 7) / 10,
    "muster_event_store_size_bytes": lambda labels: lambda at: 4e6 * len(labels["relation"]) + 900 * done(at),
    "muster_sweep_last_success_timestamp_seconds": lambda labels: lambda at: at - len(labels["sweep"]),
    "muster_otlp_last_success_timestamp_seconds": clock(-20),
    "muster_metrics_dropped_entities": constant(0),
    "muster_metrics_collect_duration_seconds": lambda _: lambda at: 0.02 + (at % 11) / 1_000,
    "muster_db_pool_connections_max": constant(10),
}


def foreign() -> Iterator[Sample]:
    """Yield what Prometheus, its client libraries and our rules add."""
    yield Sample("process_start_time_seconds", {}, lambda at: START - 900 if at < START + 9_000 else START + 9_000)
    yield Sample("process_cpu_seconds_total", {}, lambda at: 0.3 * done(at))
    yield Sample("process_resident_memory_bytes", {}, lambda at: 9e7 + 900 * math.sqrt(done(at)))
    for window, burn in (("1h", 0.0021), ("6h", 0.0008)):
        yield Sample(f"job:muster_http_errors:ratio_rate{window}", {"instance": ""}, lambda at, burn=burn: burn * busy(at))  # type: ignore[misc]
    for name, severity in (("MusterWorkerDead", "warning"), ("MusterSafetyCapTripped", "warning")):
        labels = {"alertname": name, "alertstate": "firing", "severity": severity, "campaign": "flaky-tests", "instance": ""}
        yield Sample("ALERTS", labels, lambda at: 1.0 if at > START + 15_000 else None)
