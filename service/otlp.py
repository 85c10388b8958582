"""What sends numbers and traces over OTLP, built from the settings; its libraries are imported only where somebody wants them."""

from importlib.metadata import version
from typing import TYPE_CHECKING, Literal

from asyncpg import Pool

from projections.export.status import ExportStatus
from projections.measures.process import Process
from service.otel_env import pairs, place
from service.settings import Settings

if TYPE_CHECKING:
    from projections.export.otlp import Exporter
    from projections.export.otlp_delivery import Delivery
    from projections.export.otlp_message import Identity
    from projections.export.traces import Tracer


def build_metrics_exporter(settings: Settings, pool: Pool, process: Process, replica: str) -> "Exporter | None":
    """Return what sends the metrics, None when nobody wants them."""
    if not settings.otlp_endpoint:
        return None
    from projections.export.otlp import Exporter  # noqa: PLC0415

    longest_s = min(settings.otlp_timeout_s, settings.otlp_interval_s)
    delivery, identity = delivery_of("metrics", settings, process, longest_s), identity_of(settings, replica)
    return Exporter(pool, process, delivery, identity, settings.otlp_interval_s, histograms=settings.otlp_histograms)


def build_trace_exporter(settings: Settings, pool: Pool, process: Process) -> "Tracer | None":
    """Return what sends the traces, None when nobody wants them."""
    if not settings.otlp_traces_endpoint:
        return None
    from projections.export.traces import Tracer  # noqa: PLC0415

    return Tracer(pool, trace_delivery(settings, process), identity_of(settings), settings.otlp_traces_interval_s)


def trace_delivery(settings: Settings, process: Process) -> "Delivery":
    """Return the road that traces travel."""
    return delivery_of("traces", settings, process, settings.otlp_traces_timeout_s)


def delivery_of(signal: Literal["metrics", "traces"], settings: Settings, process: Process, timeout_s: float) -> "Delivery":
    """Return the road that a signal travels, by the settings that both have under names alike."""
    from projections.export.otlp_delivery import Delivery  # noqa: PLC0415
    from projections.export.otlp_sender import METRICS, TRACES, Destination, sender_to  # noqa: PLC0415

    sent, prefix = (METRICS, "otlp") if signal == "metrics" else (TRACES, "otlp_traces")
    endpoint, headers, protocol, compression, certificate = (
        getattr(settings, f"{prefix}_{name}") for name in ("endpoint", "headers", "protocol", "compression", "certificate")
    )
    destination = Destination(endpoint, pairs(headers), timeout_s, compression == "gzip", certificate)
    return Delivery(sent, sender_to(sent, destination, protocol), process, ExportStatus(signal, place(endpoint), protocol))


def identity_of(settings: Settings, replica: str = "") -> "Identity":
    """Return under which resource this replica sends; what is sent for the fleet names no replica."""
    from projections.export.otlp_message import Identity  # noqa: PLC0415

    named = {"service.name": "muster", "service.version": version("muster"), "service.instance.id": replica}
    return Identity({**named, **pairs(settings.otlp_attributes)}, version("muster"))
