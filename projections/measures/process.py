"""Metrics of this process: its requests, its Writer, its pool, its loops. They start at zero with the process."""

import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, GCCollector, Histogram, Info, PlatformCollector, ProcessCollector

from projections.measures.catalogue import PROCESS
from projections.measures.family import Family

VIEWS = "views"


class Process:
    """The registry of a process, defined by the catalogue, with one method for each thing that happens."""

    def __init__(self, schema: str = "", commit: str = "") -> None:
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        self._answered = lru_cache(maxsize=4096)(self._request_series)
        for family in PROCESS:
            self._define(family)
        build = Info("muster_build", "What this process is.", registry=self.registry)
        facts = {"version": version("muster"), "commit": commit, "schema": schema, "python": platform.python_version()}
        build.info(facts)

    def _define(self, family: Family) -> None:
        """Register *family*, each series of closed labels at zero."""
        metric: Counter | Gauge | Histogram
        labels = tuple(family.labels)
        match family.kind:
            case "counter":
                metric = self._counters[family.name] = Counter(family.name, family.help, labels, registry=self.registry)
            case "gauge":
                metric = self._gauges[family.name] = Gauge(family.name, family.help, labels, registry=self.registry)
            case "histogram":
                metric = self._histograms[family.name] = Histogram(
                    family.name, family.help, labels, buckets=family.buckets, registry=self.registry
                )
            case "info":
                return
        for values in family.combinations() if labels else ():
            metric.labels(*values)

    def observe_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request; *route* is the template, `other` for a path that matched none."""
        counter, histogram = self._answered(method, route, status)
        counter.inc()
        histogram.observe(seconds)

    def _request_series(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        """Return the two series of a request; cached, because looking up labels costs more than counting."""
        counter = self._counters["muster_http_requests_total"].labels(method, route, str(status))
        return counter, self._histograms["muster_http_request_duration_seconds"].labels(method, route)

    def show_in_flight(self, count: Callable[[], int]) -> None:
        """Call *count* at each scrape for the number of requests in flight."""
        self._gauges["muster_http_requests_in_flight"].set_function(count)

    @contextmanager
    def stream(self) -> Iterator[None]:
        """Count an event stream as open."""
        with self._gauges["muster_stream_clients"].track_inprogress():
            yield

    def observe_append(self, seconds: float, events: int) -> None:
        """Count a batch that the Writer committed."""
        self._histograms["muster_event_append_duration_seconds"].observe(seconds)
        self._histograms["muster_event_append_batch_events"].observe(events)

    def append_failed(self, reason: str) -> None:
        """Count a batch that failed: `conflict`, `db_unavailable`, `timeout`, `invalid` or `other`."""
        self._counters["muster_event_append_failures_total"].labels(reason).inc()

    def projected(self, events: int, seconds: float) -> None:
        """Count a page of the projector."""
        self._counters["muster_projection_events_total"].labels(VIEWS).inc(events)
        self._histograms["muster_projection_batch_duration_seconds"].labels(VIEWS).observe(seconds)

    def projection_failed(self) -> None:
        """Count a page that failed."""
        self._counters["muster_projection_errors_total"].labels(VIEWS).inc()

    def diverged(self, rows: int) -> None:
        """Count rows that differed from a fresh fold."""
        self._counters["muster_projection_divergences_total"].labels(VIEWS).inc(rows)

    def connections(self, used: int, idle: int, most: int) -> None:
        """Note the state of the pool."""
        pool = self._gauges["muster_db_pool_connections"]
        pool.labels("used").set(used)
        pool.labels("idle").set(idle)
        self._gauges["muster_db_pool_connections_max"].set(most)

    def observe_acquire(self, seconds: float) -> None:
        """Note the wait for a connection."""
        self._histograms["muster_db_pool_acquire_seconds"].observe(seconds)

    def observe_statement(self, operation: str, seconds: float) -> None:
        """Note the time of a statement."""
        self._histograms["muster_db_operation_duration_seconds"].labels(operation).observe(seconds)

    def statement_failed(self, sqlstate_class: str) -> None:
        """Count a statement that failed; its class is `none` if the server gave no SQLSTATE."""
        self._counters["muster_db_errors_total"].labels(sqlstate_class).inc()

    def observe_loop_lag(self, seconds: float) -> None:
        """Note the delay of the event loop."""
        self._histograms["muster_event_loop_lag_seconds"].observe(seconds)

    def leads(self, *, leader: bool) -> None:
        """Note whether this replica leads."""
        self._gauges["muster_leader"].set(int(leader))

    def swept(self, sweep: str, seconds: float, at: float) -> None:
        """Note a sweep that ended well; *at* is seconds since 1970."""
        self._histograms["muster_sweep_duration_seconds"].labels(sweep).observe(seconds)
        self._gauges["muster_sweep_last_success_timestamp_seconds"].labels(sweep).set(at)

    def sweep_failed(self, sweep: str) -> None:
        """Count a sweep that failed."""
        self._counters["muster_sweep_errors_total"].labels(sweep).inc()

    def streamed(self, events: int) -> None:
        """Count events that were sent on a stream."""
        self._counters["muster_stream_messages_total"].labels("sent").inc(events)

    def noticed(self, seconds: float) -> None:
        """Note how long a commit of this process took to be folded."""
        self._histograms["muster_projection_notify_latency_seconds"].observe(seconds)

    def exported(self, result: str, seconds: float, accepted: int, rejected: int) -> None:
        """Note an export over OTLP that ended: `success`, `partial` or `failure`."""
        self._counters["muster_otlp_exports_total"].labels(result).inc()
        self._counters["muster_otlp_points_total"].labels("accepted").inc(accepted)
        self._counters["muster_otlp_points_total"].labels("rejected").inc(rejected)
        self._histograms["muster_otlp_export_duration_seconds"].observe(seconds)
        if result != "failure":
            self._gauges["muster_otlp_last_success_timestamp_seconds"].set_to_current_time()

    def showed(self, scope: str, series: int) -> None:
        """Note the number of samples of an exposition."""
        self._gauges["muster_metrics_series"].labels(scope).set(series)

    def collected(self, seconds: float) -> None:
        """Note how long an exposition took."""
        self._gauges["muster_metrics_collect_duration_seconds"].set(seconds)

    def collect_failed(self) -> None:
        """Count an exposition without the metrics of the fleet."""
        self._counters["muster_metrics_collect_errors_total"].inc()
