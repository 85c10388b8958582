"""A receiver of OTLP over gRPC and over HTTP, made of opentelemetry-proto; it keeps what came and answers as told."""

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
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.metrics.v1 import metrics_pb2 as pb
from opentelemetry.proto.trace.v1 import trace_pb2
from typing_extensions import override

REQUESTS: dict[str, Any] = {
    "opentelemetry.proto.collector.metrics.v1.MetricsService": ExportMetricsServiceRequest,
    "opentelemetry.proto.collector.trace.v1.TraceService": ExportTraceServiceRequest,
}
PATHS: dict[str, Any] = {"/v1/metrics": ExportMetricsServiceRequest, "/v1/traces": ExportTraceServiceRequest}
Request = ExportMetricsServiceRequest | ExportTraceServiceRequest
Answer = ExportMetricsServiceResponse | ExportTraceServiceResponse
Point = tuple[str, tuple[tuple[str, str], ...]]


class Receiver:
    """What came, by the instance that sent it; *refuses* of each request, and each with a *fault* as its protocol has it."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.requests: list[ExportMetricsServiceRequest] = []
        self.traced: list[ExportTraceServiceRequest] = []
        self.headers: list[dict[str, str]] = []
        self.refuses = 0
        self.fault: Any = None
        self.came = threading.Event()

    def take(self, request: Request, headers: dict[str, str]) -> Answer:
        """Keep a request, and answer how much of it was refused."""
        self.headers.append(headers)
        if isinstance(request, ExportTraceServiceRequest):
            self.traced.append(request)
            refused = ExportTracePartialSuccess(rejected_spans=self.refuses, error_message="too many")
            answer: Answer = ExportTraceServiceResponse(partial_success=refused if self.refuses else None)
        else:
            self.requests.append(request)
            refuses = ExportMetricsPartialSuccess(rejected_data_points=self.refuses, error_message="too many")
            answer = ExportMetricsServiceResponse(partial_success=refuses if self.refuses else None)
        self.came.set()
        return answer

    def metrics(self, instance: str) -> Iterator[pb.Metric]:
        """Yield the metrics that an instance whose name begins so has sent."""
        for request in self.requests:
            for resource in request.resource_metrics:
                known = {one.key: one.value.string_value for one in resource.resource.attributes}
                if known["service.instance.id"].startswith(instance):
                    for scope in resource.scope_metrics:
                        yield from scope.metrics

    def spans(self) -> list[trace_pb2.Span]:
        """Return the spans that came, in their order."""
        found = (resource for request in self.traced for resource in request.resource_spans)
        return [span for resource in found for scope in resource.scope_spans for span in scope.spans]

    def instances(self) -> set[str]:
        """Return who has sent something."""
        resources = [resource.resource for request in self.requests for resource in request.resource_metrics]
        resources += [resource.resource for request in self.traced for resource in request.resource_spans]
        pairs = [one for resource in resources for one in resource.attributes]
        return {one.value.string_value for one in pairs if one.key == "service.instance.id"}

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

    def export(request: Request, context: Any) -> Answer:  # noqa: ANN401 - grpc's own
        if receiver.fault is not None:
            context.abort(receiver.fault, "not now")
        return receiver.take(request, {str(key): str(value) for key, value in context.invocation_metadata()})

    for service, request in REQUESTS.items():
        handler = grpc.unary_unary_rpc_method_handler(
            export,
            request_deserializer=request.FromString,
            response_serializer=lambda answer: answer.SerializeToString(),
        )
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": handler}),))
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
            known = self.path in PATHS and self.headers["content-type"] == "application/x-protobuf"
            status = receiver.fault or (200 if known else 404)
            answer = b"nobody here"
            if status == 200:
                request = PATHS[self.path].FromString(body)
                answer = receiver.take(request, dict(self.headers.items())).SerializeToString()
            self.send_response(status)
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
