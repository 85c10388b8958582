"""A receiver of OTLP metrics over gRPC and over HTTP, made of opentelemetry-proto; it keeps what came and answers as told."""

import gzip
import threading
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc  # type: ignore[import-untyped]  # its stubs are another package
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.metrics.v1 import metrics_pb2 as pb
from typing_extensions import override

METHOD = "MetricsService"
SERVICE = "opentelemetry.proto.collector.metrics.v1.MetricsService"
Point = tuple[str, tuple[tuple[str, str], ...]]


class Receiver:
    """What came, by the instance that sent it."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.requests: list[ExportMetricsServiceRequest] = []
        self.headers: list[dict[str, str]] = []
        self.refuses = 0
        self.away = False
        self.came = threading.Event()

    def take(self, request: ExportMetricsServiceRequest, headers: dict[str, str]) -> ExportMetricsServiceResponse:
        """Keep a request, and answer how many points were refused."""
        self.requests.append(request)
        self.headers.append(headers)
        self.came.set()
        if not self.refuses:
            return ExportMetricsServiceResponse()
        refused = ExportMetricsPartialSuccess(rejected_data_points=self.refuses, error_message="too many")
        return ExportMetricsServiceResponse(partial_success=refused)

    def metrics(self, instance: str) -> Iterator[pb.Metric]:
        """Yield the metrics that an instance whose name begins so has sent."""
        for request in self.requests:
            for resource in request.resource_metrics:
                known = {one.key: one.value.string_value for one in resource.resource.attributes}
                if known["service.instance.id"].startswith(instance):
                    for scope in resource.scope_metrics:
                        yield from scope.metrics

    def instances(self) -> set[str]:
        """Return who has sent something."""
        return {
            one.value.string_value
            for request in self.requests
            for resource in request.resource_metrics
            for one in resource.resource.attributes
            if one.key == "service.instance.id"
        }

    def points(self, instance: str) -> dict[Point, Any]:
        """Return the last point of every series of an instance, by name and labels."""
        found: dict[Point, Any] = {}
        for metric in self.metrics(instance):
            for point in getattr(metric, metric.WhichOneof("data") or "gauge").data_points:
                labels = tuple(sorted((one.key, one.value.string_value) for one in point.attributes))
                found[metric.name, labels] = point
        return found


@contextmanager
def grpc_receiver() -> Iterator[Receiver]:
    """Receive over gRPC, on a port of its own."""
    server = grpc.server(futures.ThreadPoolExecutor(2))
    receiver = Receiver(f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}")

    def export(request: ExportMetricsServiceRequest, context: Any) -> ExportMetricsServiceResponse:  # noqa: ANN401 - grpc's own
        return receiver.take(request, {str(key): str(value) for key, value in context.invocation_metadata()})

    handler = grpc.unary_unary_rpc_method_handler(
        export,
        request_deserializer=ExportMetricsServiceRequest.FromString,
        response_serializer=ExportMetricsServiceResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {"Export": handler}),))
    server.start()
    try:
        yield receiver
    finally:
        server.stop(None).wait()


@contextmanager
def http_receiver() -> Iterator[Receiver]:
    """Receive over HTTP, on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            known = self.path == "/v1/metrics" and self.headers["content-type"] == "application/x-protobuf" and not receiver.away
            self.send_response(200 if known else 404)
            request = ExportMetricsServiceRequest.FromString(body)
            answer = receiver.take(request, dict(self.headers.items())).SerializeToString() if known else b"nobody here"
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_address[1]}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
