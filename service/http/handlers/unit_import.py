"""Imports of units: a JSON array as one whole, or lines streamed in chunks, each a whole of its own."""

import asyncio
import re
from collections.abc import Sequence
from hashlib import sha256

import msgspec
from litestar import post
from msgspec import Struct
from msgspec.json import Decoder
from msgspec.structs import replace

from service.domain.commands import AddUnits, ImportReply
from service.domain.rejections import MissingDependency, Rejection, Unprocessable
from service.http.handlers.units import MOST_UNITS, UnitBody, require_few
from service.http.openapi.operation import described
from service.http.request.body import require_plain
from service.http.request.ndjson import Chunk, chunks, parsed
from service.http.request.request import WriteRequest
from service.http.response import RawResponse, answered, json_response
from service.submission import Answer, Origin

TOGETHER_BYTES = 16 * 1024 * 1024
LINES = (b"application/x-ndjson", b"application/ndjson", b"application/jsonl", b"application/x-jsonlines")
PLACE = re.compile(r"(?:units)?\[(\d+)\]")
ARRAY, COUNTS = Decoder(tuple[UnitBody, ...]), Decoder(dict[str, int])


class ImportAnswer(Struct, frozen=True, omit_defaults=True):
    """What an import did; *lines* says how many lines of a stream were stored."""

    added: int
    updated: int
    unchanged: int
    position: int
    lines: int | None = None


class ImportTotals:
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
async def add_units(request: WriteRequest) -> RawResponse:
    """Import units, an upsert by key: one not yet started takes the new payload, a started one is left alone.

    A JSON array, of up to 20,000 units, is stored as a whole or not at all. Lines (`application/x-ndjson`, one unit each) are
    streamed: every chunk of 1,000 is a whole of its own, and a refusal says how many lines were stored before it. A dependency
    may stand in a later line, up to 20,000 lines on: the chunks from one to the other are then stored as one.
    """
    campaign = request.campaign
    require_plain(request.fields)
    if request.fields.get(b"content-type", b"").partition(b";")[0].strip().lower() in LINES:
        return await add_lines(request, ImportStream(request))
    try:
        units = await request.decoded_body(ARRAY)
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
    did: ImportReply = answer.only()
    return msgspec.json.encode(ImportAnswer(did.added, did.updated, did.unchanged, answer.position))


def whole(answer: Answer) -> bytes:
    """Return what the import of an array did, or raise its refusal with the number of the unit."""
    try:
        return counts(answer)
    except Rejection as error:
        raise numbered(error) from None


class ImportStream:
    """The chunks of one request on their way to the Writer: one is stored while the next is read.

    A chunk with a dependency that is not there yet waits for the next ones, and is stored together with them (B-DAG-1).
    """

    def __init__(self, request: WriteRequest) -> None:
        self.request = request
        self.origin = request.origin()
        self.sum = ImportTotals()
        self.waiting: Chunk | None = None
        self.refusal: Rejection | None = None
        self.storing: asyncio.Task[None] | None = None

    async def take(self, chunk: Chunk) -> None:
        """Begin to store *chunk*, with what waits for it, once the one before it is stored."""
        await self.settle()
        whole = chunk if self.waiting is None else self.waiting.followed(chunk)
        if self.refusal is not None and (len(whole.lines) > MOST_UNITS or whole.size > TOGETHER_BYTES):
            raise self.refusal
        self.storing = asyncio.create_task(self.store(whole))

    async def settle(self) -> None:
        """Wait until everything taken is stored, or waits."""
        storing, self.storing = self.storing, None
        if storing is not None:
            await storing

    async def end(self) -> None:
        """Settle, and refuse what still waits when nothing more comes."""
        await self.settle()
        if self.refusal is not None:
            raise self.refusal

    async def store(self, chunk: Chunk) -> None:
        """Store one chunk and count it, or let it wait."""
        units = parsed(chunk)
        missing = self.refusal.fields.get("current") if isinstance(self.refusal, MissingDependency) else None
        if missing is not None and not any(unit.key == missing for unit in units):
            self.waiting = chunk
            return
        command = AddUnits(campaign=self.request.campaign, units=units)
        answer = await self.request.context.writer.submit((command,), self.chunk_origin(chunk))
        try:
            if not answer.replayed:
                answer.only()
        except Unprocessable as error:
            numbered(error, chunk.numbers())
            if not (isinstance(error, MissingDependency) or error.fields.get("field") == "Idempotency-Key"):
                raise
            self.waiting, self.refusal = chunk, error
        except Rejection as error:
            raise numbered(error, chunk.numbers()) from None
        else:
            self.waiting = self.refusal = None
            self.sum.add(answer, len(chunk.lines))

    def chunk_origin(self, chunk: Chunk) -> Origin:
        """Return the origin of a chunk: its key and digest are its own, so that a repetition repeats each answer.

        What was stored as one is not known by its first chunk alone: the repetition finds another digest, and waits likewise.
        """
        if self.origin.key is None:
            return self.origin
        key = sha256(f"{self.origin.key}\0{chunk.first}".encode()).hexdigest()
        digest = sha256(self.request.digest() + b"\n".join(chunk.lines)).digest()
        return replace(self.origin, key=key, digest=digest, render=counts)


async def add_lines(request: WriteRequest, stream: ImportStream) -> RawResponse:
    """Store the lines of a request chunk by chunk; two chunks at most are in memory, and what waits."""
    try:
        try:
            async for chunk in chunks(request.receive):
                await stream.take(chunk)
        finally:
            await stream.settle()
        await stream.end()
    except Rejection as error:
        error.fields |= stored(stream)
        raise
    did, answer = stream.sum, stream.sum.answer
    body = ImportAnswer(did.added, did.updated, did.unchanged, answer.position, did.lines)
    return json_response(msgspec.json.encode(body), answer)


def stored(stream: ImportStream) -> dict[str, int | None]:
    """Return how much of a refused stream is stored: so many lines from its beginning."""
    return {"lines": stream.sum.lines, "position": stream.sum.answer.position or None}


HANDLERS = (add_units,)
