"""What sends numbers and traces over OTLP, built from the settings; its libraries are imported only where somebody wants them."""

from importlib.metadata import version
from typing import TYPE_CHECKING

from asyncpg import Pool

from projections.export.standing import Standing
from projections.measures.process import Process
from service.conventions import pairs, place
from service.settings import Settings

if TYPE_CHECKING:
    from projections.export.otlp import Exporter
    from projections.export.otlp_delivery import Delivery
    from projections.export.otlp_message import Identity
    from projections.export.traces import Tracer


def exporter_of(settings: Settings, pool: Pool, process: Process, replica: str) -> "Exporter | None":
    """Return what sends the metrics, None when nobody wants them."""
    if not settings.otlp_endpoint:
        return None
    from projections.export.otlp import Exporter  # noqa: PLC0415
    from projections.export.otlp_delivery import Delivery  # noqa: PLC0415
    from projections.export.otlp_sender import METRICS, Destination, sender_to  # noqa: PLC0415

    destination = Destination(
        settings.otlp_endpoint,
        pairs(settings.otlp_headers),
        min(settings.otlp_timeout_s, settings.otlp_interval_s),
        settings.otlp_compression == "gzip",
        settings.otlp_certificate,
    )
    standing = Standing("metrics", place(settings.otlp_endpoint), settings.otlp_protocol)
    delivery = Delivery(METRICS, sender_to(METRICS, destination, settings.otlp_protocol), process, standing)
    identity = identity_of(settings, replica)
    return Exporter(pool, process, delivery, identity, settings.otlp_interval_s, histograms=settings.otlp_histograms)


def tracer_of(settings: Settings, pool: Pool, process: Process) -> "Tracer | None":
    """Return what sends the traces, None when nobody wants them."""
    if not settings.otlp_traces_endpoint:
        return None
    from projections.export.traces import Tracer  # noqa: PLC0415

    return Tracer(pool, trace_delivery(settings, process), identity_of(settings), settings.otlp_traces_interval_s)


def trace_delivery(settings: Settings, process: Process) -> "Delivery":
    """Return the road that traces travel."""
    from projections.export.otlp_delivery import Delivery  # noqa: PLC0415
    from projections.export.otlp_sender import TRACES, Destination, sender_to  # noqa: PLC0415

    destination = Destination(
        settings.otlp_traces_endpoint,
        pairs(settings.otlp_traces_headers),
        settings.otlp_traces_timeout_s,
        settings.otlp_traces_compression == "gzip",
        settings.otlp_traces_certificate,
    )
    standing = Standing("traces", place(settings.otlp_traces_endpoint), settings.otlp_traces_protocol)
    return Delivery(TRACES, sender_to(TRACES, destination, settings.otlp_traces_protocol), process, standing)


def identity_of(settings: Settings, replica: str = "") -> "Identity":
    """Return under which resource this replica sends; what is sent for the fleet names no replica."""
    from projections.export.otlp_message import Identity  # noqa: PLC0415

    named = {"service.name": "muster", "service.version": version("muster"), "service.instance.id": replica}
    return Identity({**named, **pairs(settings.otlp_attributes)}, version("muster"))
