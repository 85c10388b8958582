"""Senders of OTLP requests over gRPC or HTTP: one attempt each, called from worker threads because they block."""

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol
from urllib.parse import urlsplit

import grpc  # type: ignore[import-untyped]  # its stubs are another package
import httpx
from google.protobuf.message import Message  # type: ignore[import-untyped]  # its stubs are another package
from msgspec import Struct
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

TEXT_CHARS = 200
REFUSED_STATUSES = (httpx.codes.BAD_REQUEST, httpx.codes.REQUEST_ENTITY_TOO_LARGE, httpx.codes.UNPROCESSABLE_ENTITY)


class Undelivered(RuntimeError):
    """The receiver did not take a request; the message says why.

    Undelivered
    └── ExportRefused   it will never accept this request, so it is not sent again
    """


class ExportRefused(Undelivered):
    """The receiver understood the request and refuses it for good."""


class Signal(Struct, frozen=True):
    """Metrics or traces: the gRPC service, the HTTP path, the type of the answer and its field of refused items."""

    service: str
    path: str
    answer: type[Message]
    rejected: str
    noun: str

    def read(self, answer: Any) -> "PartialSuccess":  # noqa: ANN401 - the two answers have nothing in common but their form
        """Return what an answer says about refused items."""
        partial = answer.partial_success
        return PartialSuccess(getattr(partial, self.rejected), partial.error_message)


METRICS = Signal(
    "opentelemetry.proto.collector.metrics.v1.MetricsService",
    "/v1/metrics",
    ExportMetricsServiceResponse,
    "rejected_data_points",
    "points",
)
TRACES = Signal(
    "opentelemetry.proto.collector.trace.v1.TraceService", "/v1/traces", ExportTraceServiceResponse, "rejected_spans", "spans"
)


class PartialSuccess(NamedTuple):
    """How many items of a request the receiver refused while it accepted the others, and why."""

    rejected: int = 0
    why: str = ""


class Destination(Struct, frozen=True):
    """Where to send, and how; *certificate* is a file of trusted certificates."""

    endpoint: str
    headers: Mapping[str, str] = {}
    timeout_s: float = 10.0
    compressed: bool = False
    certificate: str = ""


class Sender(Protocol):
    """Sends one request at a time."""

    def send(self, request: Message) -> PartialSuccess:
        """Send *request*, and return what was refused of it.

        Raises:
            Undelivered: the receiver did not accept it in time.
            ExportRefused: the receiver will never accept it.

        """

    def close(self) -> None:
        """Close the connection."""


class GrpcSender:
    """OTLP over gRPC."""

    def __init__(self, signal: Signal, destination: Destination) -> None:
        self._signal = signal
        self._destination = destination
        parts = urlsplit(destination.endpoint if "//" in destination.endpoint else f"http://{destination.endpoint}")
        if parts.scheme == "https":
            trusted = Path(destination.certificate).read_bytes() if destination.certificate else None
            self._channel = grpc.secure_channel(parts.netloc, grpc.ssl_channel_credentials(trusted))
        else:
            self._channel = grpc.insecure_channel(parts.netloc)
        self._export = self._channel.unary_unary(
            f"/{signal.service}/Export",
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=signal.answer.FromString,
        )

    def send(self, request: Message) -> PartialSuccess:
        """Send *request*, and return what was refused of it."""
        metadata = [(name.lower(), value) for name, value in self._destination.headers.items()]
        compression = grpc.Compression.Gzip if self._destination.compressed else grpc.Compression.NoCompression
        try:
            answer = self._export(request, timeout=self._destination.timeout_s, metadata=metadata, compression=compression)
        except grpc.RpcError as error:
            kind = ExportRefused if error.code() == grpc.StatusCode.INVALID_ARGUMENT else Undelivered
            raise kind(f"{error.code().name}: {error.details()}"[:TEXT_CHARS]) from None
        return self._signal.read(answer)

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()


class HttpSender:
    """OTLP over HTTP, as protobuf."""

    def __init__(self, signal: Signal, destination: Destination) -> None:
        parts = urlsplit(destination.endpoint)
        self._signal = signal
        self._url = destination.endpoint if parts.path.strip("/") else destination.endpoint.rstrip("/") + signal.path
        self._compressed = destination.compressed
        headers = {"content-type": "application/x-protobuf", **destination.headers}
        if self._compressed:
            headers["content-encoding"] = "gzip"
        trusted = httpx.create_ssl_context(verify=destination.certificate) if destination.certificate else True
        self._client = httpx.Client(headers=headers, timeout=destination.timeout_s, verify=trusted)

    def send(self, request: Message) -> PartialSuccess:
        """Send *request*, and return what was refused of it."""
        body = request.SerializeToString()
        try:
            answer = self._client.post(self._url, content=gzip.compress(body, 1) if self._compressed else body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Undelivered(f"{type(error).__name__}: {error}"[:TEXT_CHARS]) from None
        if answer.status_code != httpx.codes.OK:
            kind = ExportRefused if answer.status_code in REFUSED_STATUSES else Undelivered
            raise kind(f"{answer.status_code}: {answer.text}"[:TEXT_CHARS])
        try:
            return self._signal.read(self._signal.answer.FromString(answer.content))
        except Exception as error:  # noqa: BLE001 - protobuf has no common error for input that is no message
            raise Undelivered(f"unreadable answer: {error}"[:TEXT_CHARS]) from None

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def sender_to(signal: Signal, destination: Destination, protocol: Literal["grpc", "http/protobuf"]) -> Sender:
    """Return a sender of *signal* to *destination*."""
    return GrpcSender(signal, destination) if protocol == "grpc" else HttpSender(signal, destination)
