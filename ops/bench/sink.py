"""`python -m ops.bench.sink PORT`: a receiver of OTLP over HTTP that takes all, and tells when the fleet's exports came."""

import asyncio
import re
import sys
import time

import msgspec
from msgspec import Struct
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from projections.export.otlp_message import points_of

LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
TAKEN = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n"
APART_S = 0.5
"""Requests of one export follow each other sooner than that."""


class Export(Struct):
    """One export of the fleet: when its first request began to come, when its last was answered, how many points it had."""

    began: float
    ended: float
    points: int = 0


class Sink:
    """What came."""

    def __init__(self) -> None:
        self.exports: list[Export] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection; a GET is told what came."""
        try:
            while True:
                first = await reader.readexactly(1)
                began = time.monotonic()
                head = first + await reader.readuntil(b"\r\n\r\n")
                if head.startswith(b"GET"):
                    told = msgspec.json.encode(self.exports)
                    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(told), told))
                    continue
                length = LENGTH.search(head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                writer.write(TAKEN)
                if b"fleet:" in body:
                    self.take(began, time.monotonic(), body)
        except asyncio.IncompleteReadError:
            writer.close()

    def take(self, began: float, ended: float, body: bytes) -> None:
        """Count a request of the fleet's."""
        if not self.exports or began - self.exports[-1].ended > APART_S:
            self.exports.append(Export(began, ended))
        export = self.exports[-1]
        export.ended = ended
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            export.points += sum(points_of(metric) for scope in resource.scope_metrics for metric in scope.metrics)


async def main(port: int) -> None:
    """Listen until ended."""
    async with await asyncio.start_server(Sink().serve, "127.0.0.1", port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
