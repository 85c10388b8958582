"""Lines: the body of an import as it arrives, cut into chunks, each line one unit."""

from codecs import BOM_UTF8
from collections.abc import AsyncIterator

from litestar.types import Receive
from msgspec import Struct
from msgspec.json import Decoder

from service.domain.content.json_limits import require_sound
from service.domain.rejections import Rejection
from service.http.handlers.units import UnitBody
from service.http.problems import PayloadTooLarge
from service.http.request.body import MISSHAPEN, ClientDisconnected, decoded, next_part

CHUNK_LINES = 1000
CHUNK_BYTES = 8 * 1024 * 1024
LINE_BYTES = 1024 * 1024
ONE = Decoder(UnitBody)


class Chunk(Struct):
    """Lines that are stored together; the first has number *first* in its request."""

    lines: list[bytes]
    first: int
    size: int

    def followed(self, other: "Chunk") -> "Chunk":
        """Return these lines and those of the chunk behind them as one."""
        return Chunk(self.lines + other.lines, self.first, self.size + other.size)

    def numbers(self) -> list[int]:
        """Return the number of each line that is not blank."""
        return [number for number, line in enumerate(self.lines, self.first) if line.strip()]


async def chunks(receive: Receive) -> AsyncIterator[Chunk]:
    """Yield the lines of a body in chunks as they arrive, cut alike however they arrive; an empty body is one empty chunk."""
    chunk, rest, more = Chunk([], 1, 0), b"", True
    while more:
        message = await next_part(receive)
        if message["type"] == "http.disconnect":
            raise ClientDisconnected("the client left")
        more = message.get("more_body", False)
        *whole, rest = (rest + message.get("body", b"")).split(b"\n")
        if len(rest) > LINE_BYTES:
            number = chunk.first + len(chunk.lines) + len(whole)
            raise PayloadTooLarge(f"line {number} is larger than {LINE_BYTES} bytes", line=number, allowed=LINE_BYTES)
        for line in whole:
            chunk.lines.append(line)
            chunk.size += len(line)
            if len(chunk.lines) == CHUNK_LINES or chunk.size >= CHUNK_BYTES:
                yield chunk
                chunk = Chunk([], chunk.first + len(chunk.lines), 0)
    if rest:
        chunk.lines.append(rest)
    if chunk.lines or chunk.first == 1:
        yield chunk


def parsed(chunk: Chunk) -> tuple[UnitBody, ...]:
    """Return the units of a chunk, or refuse it naming the first bad line and its field."""
    if chunk.first == 1 and chunk.lines:
        chunk.lines[0] = chunk.lines[0].removeprefix(BOM_UTF8)
    try:
        text = b"\n".join(chunk.lines)
        require_sound(text)
        units = tuple(ONE.decode_lines(text))
    except (*MISSHAPEN, Rejection):
        units = ()
    if len(units) == sum(not line.isspace() for line in chunk.lines if line):
        return units
    return tuple(parsed_line(line, number) for number, line in enumerate(chunk.lines, chunk.first) if line.strip())


def parsed_line(line: bytes, number: int) -> UnitBody:
    """Return the unit of one line, or refuse it by its number."""
    try:
        return decoded(ONE, line)
    except Rejection as error:
        error.detail = f"line {number}: {error.detail}"
        error.fields["line"] = number
        raise
