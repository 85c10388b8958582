"""Builds the OTLP exporters of metrics and traces from the settings.

The libraries of OTLP are imported inside the functions: they cost 0.1 s at start, and most installations export nothing.
"""

from importlib.metadata import version
from typing import TYPE_CHECKING, Literal

from asyncpg import Pool

from projections.export.status import ExportStatus
from projections.measures.process import Process
from service.otel_env import pairs, public_address
from service.settings import Settings

if TYPE_CHECKING:
    from projections.export.otlp import Exporter
    from projections.export.otlp_delivery import Delivery
    from projections.export.otlp_message import Identity
    from projections.export.traces import Tracer


def build_metrics_exporter(settings: Settings, pool: Pool, process: Process, replica: str) -> "Exporter | None":
    """Return the exporter of metrics, None when no endpoint is set."""
    if not settings.otlp_endpoint:
        return None
    from projections.export.otlp import Exporter  # noqa: PLC0415

    # an export that lasts longer than the interval would make the next one be skipped
    timeout_s = min(settings.otlp_timeout_s, settings.otlp_interval_s)
    delivery, identity = delivery_of("metrics", settings, process, timeout_s), identity_of(settings, replica)
    return Exporter(pool, process, delivery, identity, settings.otlp_interval_s, histograms=settings.otlp_histograms)


def build_trace_exporter(settings: Settings, pool: Pool, process: Process) -> "Tracer | None":
    """Return the exporter of traces, None when no endpoint is set."""
    if not settings.otlp_traces_endpoint:
        return None
    from projections.export.traces import Tracer  # noqa: PLC0415

    return Tracer(pool, trace_delivery(settings, process), identity_of(settings), settings.otlp_traces_interval_s)


def trace_delivery(settings: Settings, process: Process) -> "Delivery":
    """Return the delivery of traces."""
    return delivery_of("traces", settings, process, settings.otlp_traces_timeout_s)


def delivery_of(signal: Literal["metrics", "traces"], settings: Settings, process: Process, timeout_s: float) -> "Delivery":
    """Return the delivery of a signal; both signals have the same settings, under prefixes of their own."""
    from projections.export.otlp_delivery import Delivery  # noqa: PLC0415
    from projections.export.otlp_sender import METRICS, TRACES, Destination, sender_to  # noqa: PLC0415

    kind, prefix = (METRICS, "otlp") if signal == "metrics" else (TRACES, "otlp_traces")
    endpoint, headers, protocol, compression, certificate = (
        getattr(settings, f"{prefix}_{name}") for name in ("endpoint", "headers", "protocol", "compression", "certificate")
    )
    destination = Destination(endpoint, pairs(headers), timeout_s, compression == "gzip", certificate)
    return Delivery(
        kind, sender_to(kind, destination, protocol), process, ExportStatus(signal, public_address(endpoint), protocol)
    )


def identity_of(settings: Settings, replica: str = "") -> "Identity":
    """Return the OpenTelemetry resource of an export; traces are those of the fleet, so they name no replica."""
    from projections.export.otlp_message import Identity  # noqa: PLC0415

    attributes = {"service.name": "muster", "service.version": version("muster"), "service.instance.id": replica}
    return Identity({**attributes, **pairs(settings.otlp_attributes)}, version("muster"))
