"""What sends numbers over OTLP, built from the settings; its libraries are imported only where somebody wants them."""

from importlib.metadata import version
from typing import TYPE_CHECKING

from asyncpg import Pool

from projections.measures.process import Process
from service.conventions import pairs
from service.settings import Settings

if TYPE_CHECKING:
    from projections.export.otlp import Exporter
    from projections.export.otlp_message import Identity


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
    delivery = Delivery(METRICS, sender_to(METRICS, destination, settings.otlp_protocol), process)
    identity = identity_of(settings, replica)
    return Exporter(pool, process, delivery, identity, settings.otlp_interval_s, histograms=settings.otlp_histograms)


def identity_of(settings: Settings, replica: str) -> "Identity":
    """Return under which resource this replica sends."""
    from projections.export.otlp_message import Identity  # noqa: PLC0415

    named = {"service.name": "muster", "service.version": version("muster"), "service.instance.id": replica}
    return Identity({**named, **pairs(settings.otlp_attributes)}, version("muster"))
