"""Imports of units: a JSON array as one whole, or lines streamed in chunks, each a whole of its own."""

import asyncio
import re
from codecs import BOM_UTF8
from collections.abc import AsyncIterator, Sequence
from hashlib import sha256

import msgspec
from litestar import post
from litestar.types import Receive
from msgspec import Struct
from msgspec.json import Decoder
from msgspec.structs import replace

from service.domain.commands import AddUnits, Imported
from service.domain.document import require_sound
from service.domain.rejections import Rejection
from service.http.answer import Ready, answered, ready
from service.http.body import MISSHAPEN, Gone, decoded, next_part, require_plain
from service.http.call import Call
from service.http.description import described
from service.http.problems import Lagging, PayloadTooLarge
from service.http.units import UnitBody, require_few
from service.submission import Answer, Origin, Unavailable

CHUNK_LINES = 1000
CHUNK_BYTES = 8 * 1024 * 1024
LINE_BYTES = 1024 * 1024
LINES = (b"application/x-ndjson", b"application/ndjson", b"application/jsonl", b"application/x-jsonlines")
PLACE = re.compile(r"(?:units)?\[(\d+)\]")
ONE, ARRAY, COUNTS = Decoder(UnitBody), Decoder(tuple[UnitBody, ...]), Decoder(dict[str, int])


class ImportAnswer(Struct, frozen=True, omit_defaults=True):
    """What an import did; *lines* says how many lines of a stream were stored."""

    added: int
    updated: int
    unchanged: int
    position: int
    lines: int | None = None


class Sum:
    """What the chunks of a stream did so far."""

    def __init__(self) -> None:
        self.added = self.updated = self.unchanged = self.lines = 0
        self.answer = Answer(position=0)

    def add(self, answer: Answer, lines: int) -> None:
        """Count a stored chunk of *lines* lines."""
        did = COUNTS.decode(answer.body or counts(answer))
        self.added += did["added"]
        self.updated += did["updated"]
        self.unchanged += did["unchanged"]
        self.lines += lines
        self.answer = answer


@post(
    "/v1/campaigns/{name:str}/units",
    **described("AddUnits", list[UnitBody], ImportAnswer, refuses=(404, 409, 413, 422), lines=True),
)
async def add_units(request: Call) -> Ready:
    """Import units, an upsert by key: one not yet started takes the new payload, a started one is left alone.

    A JSON array, of up to 20,000 units, is stored as a whole or not at all. Lines (`application/x-ndjson`, one unit each) are
    streamed: every chunk of 1,000 is a whole of its own, and a refusal says how many lines were stored before it.
    """
    campaign = request.campaign
    require_plain(request.fields)
    if request.fields.get(b"content-type", b"").partition(b";")[0].strip().lower() in LINES:
        return await add_lines(request, Stream(request))
    try:
        units = await request.told(ARRAY)
    except Rejection as error:
        raise numbered(error) from None
    require_few(units)
    return await answered(request, (AddUnits(campaign=campaign, units=units),), whole)


def numbered(error: Rejection, lines: Sequence[int] | None = None) -> Rejection:
    """Return *error* with the number of the unit that it names, from 1: its own in an array, that of its line in *lines*."""
    place = PLACE.match(error.fields.get("field") or "")
    if place is not None:
        index = int(place[1])
        error.fields["line"] = index + 1 if lines is None else lines[index]
    return error


def counts(answer: Answer) -> bytes:
    """Return what one import did, or raise its refusal."""
    did: Imported = answer.only()
    return msgspec.json.encode(ImportAnswer(did.added, did.updated, did.unchanged, answer.position))


def whole(answer: Answer) -> bytes:
    """Return what the import of an array did, or raise its refusal with the number of the unit."""
    try:
        return counts(answer)
    except Rejection as error:
        raise numbered(error) from None


class Stream:
    """The chunks of one request on their way to the Writer: one is stored while the next is read."""

    def __init__(self, request: Call) -> None:
        self.request = request
        self.origin = request.origin()
        self.sum = Sum()
        self.taken = 0
        self.storing: asyncio.Task[None] | None = None

    async def take(self, chunk: "Chunk") -> None:
        """Begin to store *chunk* once the one before it is stored."""
        await self.settle()
        self.storing = asyncio.create_task(self.store(chunk))

    async def settle(self) -> None:
        """Wait until everything taken is stored."""
        storing, self.storing = self.storing, None
        if storing is not None:
            await storing

    async def store(self, chunk: "Chunk") -> None:
        """Store one chunk and count it."""
        command = AddUnits(campaign=self.request.campaign, units=parsed(chunk))
        answer = await self.request.desk.writer.submit((command,), self.chunk_origin(chunk))
        if not answer.replayed:
            try:
                answer.only()
            except Rejection as error:
                raise numbered(error, [number for number, line in enumerate(chunk.lines, chunk.first) if line.strip()]) from None
        self.sum.add(answer, len(chunk.lines))

    def chunk_origin(self, chunk: "Chunk") -> Origin:
        """Return the origin of a chunk: its key and digest are its own, so that a repetition repeats each answer."""
        if self.origin.key is None:
            return self.origin
        key = sha256(f"{self.origin.key}\0{chunk.first}".encode()).hexdigest()
        digest = sha256(self.request.digest() + b"\n".join(chunk.lines)).digest()
        return replace(self.origin, key=key, digest=digest, render=counts)


async def add_lines(request: Call, stream: Stream) -> Ready:
    """Store the lines of a request chunk by chunk; two chunks at most are in memory."""
    try:
        try:
            async for chunk in chunks(request.receive):
                await stream.take(chunk)
        finally:
            await stream.settle()
    except Rejection as error:
        error.fields |= stored(stream)
        raise
    except Unavailable as error:
        raise Lagging(str(error), **stored(stream)) from error
    did, answer = stream.sum, stream.sum.answer
    body = ImportAnswer(did.added, did.updated, did.unchanged, answer.position, did.lines)
    return ready(msgspec.json.encode(body), answer)


def stored(stream: Stream) -> dict[str, int | None]:
    """Return how much of a refused stream is stored: so many lines from its beginning."""
    return {"lines": stream.sum.lines, "position": stream.sum.answer.position or None}


class Chunk(Struct):
    """Lines that are stored together; the first has number *first* in its request."""

    lines: list[bytes]
    first: int


async def chunks(receive: Receive) -> AsyncIterator[Chunk]:
    """Yield the lines of a body in chunks as they arrive; an empty body is one empty chunk."""
    lines: list[bytes] = []
    first, size, rest, more = 1, 0, b"", True
    while more:
        message = await next_part(receive)
        if message["type"] == "http.disconnect":
            raise Gone("the client left")
        more = message.get("more_body", False)
        *whole, rest = (rest + message.get("body", b"")).split(b"\n")
        if len(rest) > LINE_BYTES:
            number = first + len(lines) + len(whole)
            raise PayloadTooLarge(f"line {number} is larger than {LINE_BYTES} bytes", line=number, allowed=LINE_BYTES)
        lines += whole
        size += len(message.get("body", b""))
        while len(lines) >= CHUNK_LINES or size >= CHUNK_BYTES:
            yield Chunk(lines[:CHUNK_LINES], first)
            first += min(len(lines), CHUNK_LINES)
            lines, size = lines[CHUNK_LINES:], 0
    if rest or lines or first == 1:
        yield Chunk([*lines, rest] if rest else lines, first)


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


HANDLERS = (add_units,)
