"""NDJSON: the body of an import as a stream of chunks of lines, each line one unit."""

from codecs import BOM_UTF8
from collections.abc import AsyncIterator

from litestar.types import Receive
from msgspec import Struct
from msgspec.json import Decoder

from service.domain.content.json_limits import require_sound
from service.domain.rejections import Rejection
from service.http.handlers.units import UnitBody
from service.http.problems import PayloadTooLarge
from service.http.request.body import DECODING_ERRORS, ClientDisconnected, decode_body, next_part

CHUNK_LINES = 1000
CHUNK_BYTES = 8 * 1024 * 1024
LINE_BYTES = 1024 * 1024
UNIT = Decoder(UnitBody)


class Chunk(Struct):
    """Lines that are stored in one transaction; *first* is the number of the first one in its request, *size* is in bytes."""

    lines: list[bytes]
    first: int
    size: int

    def joined(self, other: "Chunk") -> "Chunk":
        """Return one chunk with these lines and those of the chunk after it."""
        return Chunk(self.lines + other.lines, self.first, self.size + other.size)

    def line_numbers(self) -> list[int]:
        """Return the number of each line that is not blank."""
        return [number for number, line in enumerate(self.lines, self.first) if line.strip()]


async def read_chunks(receive: Receive) -> AsyncIterator[Chunk]:
    """Yield the lines of a body in chunks as they arrive; an empty body is one empty chunk.

    The same body is always cut at the same lines, however the network splits it: the idempotency key of a chunk depends on it.

    Raises:
        ClientDisconnected: the client left.
        PayloadTooLarge: a line has more than `LINE_BYTES`.

    """
    chunk, rest, more = Chunk([], 1, 0), b"", True
    while more:
        message = await next_part(receive)
        if message["type"] == "http.disconnect":
            raise ClientDisconnected("the client disconnected")
        more = message.get("more_body", False)
        *complete, rest = (rest + message.get("body", b"")).split(b"\n")
        if len(rest) > LINE_BYTES:
            number = chunk.first + len(chunk.lines) + len(complete)
            raise PayloadTooLarge(f"line {number} is larger than {LINE_BYTES} bytes", line=number, allowed=LINE_BYTES)
        for line in complete:
            chunk.lines.append(line)
            chunk.size += len(line)
            if len(chunk.lines) == CHUNK_LINES or chunk.size >= CHUNK_BYTES:
                yield chunk
                chunk = Chunk([], chunk.first + len(chunk.lines), 0)
    if rest:
        chunk.lines.append(rest)
    if chunk.lines or chunk.first == 1:
        yield chunk


def parse_chunk(chunk: Chunk) -> tuple[UnitBody, ...]:
    """Return the units of a chunk.

    Raises:
        Rejection: naming the first bad line and its field.

    """
    if chunk.first == 1 and chunk.lines:
        chunk.lines[0] = chunk.lines[0].removeprefix(BOM_UTF8)
    # All lines are decoded in one call, which is much faster than line by line; only a chunk with a bad line is decoded twice.
    try:
        text = b"\n".join(chunk.lines)
        require_sound(text)
        units = tuple(UNIT.decode_lines(text))
    except (*DECODING_ERRORS, Rejection):
        units = ()
    if len(units) == sum(not line.isspace() for line in chunk.lines if line):
        return units
    return tuple(parse_line(line, number) for number, line in enumerate(chunk.lines, chunk.first) if line.strip())


def parse_line(line: bytes, number: int) -> UnitBody:
    """Return the unit of one line.

    Raises:
        Rejection: naming the line and its field.

    """
    try:
        return decode_body(UNIT, line)
    except Rejection as error:
        error.detail = f"line {number}: {error.detail}"
        error.fields["line"] = number
        raise
