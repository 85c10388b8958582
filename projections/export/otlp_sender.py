"""How requests of OTLP travel: over gRPC or HTTP, one attempt each, never from the event loop's own thread.

A point that is lost is no loss: points are cumulative, and the next export carries everything again.
"""

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import grpc  # type: ignore[import-untyped]  # its stubs are another package
import httpx
from msgspec import Struct
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

METHOD = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
PATH = "/v1/metrics"
TEXT_CHARS = 200


class Undelivered(RuntimeError):
    """The receiver did not take a request; the message says why."""


class Destination(Struct, frozen=True):
    """Where to and how; *certificate* is a file of certificates that are trusted."""

    endpoint: str
    headers: Mapping[str, str] = {}
    timeout_s: float = 10.0
    compressed: bool = False
    certificate: str = ""


class Sender(Protocol):
    """Sends one request at a time."""

    def send(self, request: ExportMetricsServiceRequest) -> ExportMetricsServiceResponse:
        """Send *request* and return the answer.

        Raises:
            Undelivered: nobody took it in time.

        """

    def close(self) -> None:
        """Let go of the connection."""


class GrpcSender:
    """OTLP over gRPC."""

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        parts = urlsplit(destination.endpoint if "//" in destination.endpoint else f"http://{destination.endpoint}")
        if parts.scheme == "https":
            trusted = Path(destination.certificate).read_bytes() if destination.certificate else None
            self._channel = grpc.secure_channel(parts.netloc, grpc.ssl_channel_credentials(trusted))
        else:
            self._channel = grpc.insecure_channel(parts.netloc)
        self._export = self._channel.unary_unary(
            METHOD,
            request_serializer=ExportMetricsServiceRequest.SerializeToString,
            response_deserializer=ExportMetricsServiceResponse.FromString,
        )

    def send(self, request: ExportMetricsServiceRequest) -> ExportMetricsServiceResponse:
        """Send *request* and return the answer."""
        metadata = [(name.lower(), value) for name, value in self._destination.headers.items()]
        compression = grpc.Compression.Gzip if self._destination.compressed else grpc.Compression.NoCompression
        try:
            answer: ExportMetricsServiceResponse = self._export(
                request, timeout=self._destination.timeout_s, metadata=metadata, compression=compression
            )
        except grpc.RpcError as error:
            raise Undelivered(f"{error.code().name}: {error.details()}"[:TEXT_CHARS]) from None
        return answer

    def close(self) -> None:
        """Let go of the connection."""
        self._channel.close()


class HttpSender:
    """OTLP over HTTP, as protobuf."""

    def __init__(self, destination: Destination) -> None:
        parts = urlsplit(destination.endpoint)
        self._url = destination.endpoint if parts.path.strip("/") else destination.endpoint.rstrip("/") + PATH
        self._compressed = destination.compressed
        headers = {"content-type": "application/x-protobuf", **destination.headers}
        if self._compressed:
            headers["content-encoding"] = "gzip"
        trusted = httpx.create_ssl_context(verify=destination.certificate) if destination.certificate else True
        self._client = httpx.Client(headers=headers, timeout=destination.timeout_s, verify=trusted)

    def send(self, request: ExportMetricsServiceRequest) -> ExportMetricsServiceResponse:
        """Send *request* and return the answer."""
        body = request.SerializeToString()
        try:
            answer = self._client.post(self._url, content=gzip.compress(body, 1) if self._compressed else body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Undelivered(f"{type(error).__name__}: {error}"[:TEXT_CHARS]) from None
        if answer.status_code != httpx.codes.OK:
            raise Undelivered(f"{answer.status_code}: {answer.text}"[:TEXT_CHARS])
        try:
            taken: ExportMetricsServiceResponse = ExportMetricsServiceResponse.FromString(answer.content)
        except Exception as error:  # noqa: BLE001 - protobuf has no one error of its own for what is no message
            raise Undelivered(f"an answer that is none: {error}"[:TEXT_CHARS]) from None
        return taken

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()
