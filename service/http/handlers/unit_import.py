"""Imports of units: a JSON array in one transaction, or a stream of lines in chunks, each in a transaction of its own."""

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
from service.http.handlers.units import MAX_UNITS, UnitBody, require_few
from service.http.openapi.operation import described
from service.http.request.body import require_uncompressed
from service.http.request.ndjson import Chunk, parse_chunk, read_chunks
from service.http.request.request import WriteRequest
from service.http.response import RawResponse, json_response, submit_and_render
from service.submission import Answer, Origin

MAX_JOINED_BYTES = 16 * 1024 * 1024
NDJSON_TYPES = (b"application/x-ndjson", b"application/ndjson", b"application/jsonl", b"application/x-jsonlines")
UNIT_INDEX = re.compile(r"(?:units)?\[(\d+)\]")
ARRAY, COUNTS = Decoder(tuple[UnitBody, ...]), Decoder(dict[str, int])


class ImportAnswer(Struct, frozen=True, omit_defaults=True):
    """The result of an import; *lines* counts the lines of a stream that were stored."""

    added: int
    updated: int
    unchanged: int
    position: int
    lines: int | None = None


class ImportTotals:
    """The sum of the chunks of a stream that are stored so far."""

    def __init__(self) -> None:
        self.added = self.updated = self.unchanged = self.lines = 0
        self.answer = Answer(position=0)

    def add(self, answer: Answer, lines: int) -> None:
        """Count a stored chunk of *lines* lines."""
        chunk = COUNTS.decode(answer.body or render_counts(answer))
        self.added += chunk["added"]
        self.updated += chunk["updated"]
        self.unchanged += chunk["unchanged"]
        self.lines += lines
        self.answer = answer


@post(
    "/v1/campaigns/{name:str}/units",
    **described("AddUnits", list[UnitBody], ImportAnswer, refuses=(404, 409, 413, 422), lines=True),
)
async def add_units(request: WriteRequest) -> RawResponse:
    """Import units as an upsert by key: a unit that has not started takes the new payload, a started one is left alone.

    A JSON array, of up to 20,000 units, is stored as a whole or not at all. NDJSON (`application/x-ndjson`, one unit a line) is
    streamed: every chunk of 1,000 lines is stored on its own, and a refusal says how many lines were stored before it. A line may
    depend on one up to 20,000 lines later: all chunks from the one to the other are then stored together.
    """
    campaign = request.campaign
    require_uncompressed(request.fields)
    if request.fields.get(b"content-type", b"").partition(b";")[0].strip().lower() in NDJSON_TYPES:
        return await add_lines(request, ImportStream(request))
    try:
        units = await request.decoded_body(ARRAY)
    except Rejection as error:
        raise with_line(error) from None
    require_few(units)
    return await submit_and_render(request, (AddUnits(campaign=campaign, units=units),), render_array_counts)


def with_line(error: Rejection, lines: Sequence[int] | None = None) -> Rejection:
    """Return *error* with `line`, the number from 1 of the unit that it names: its place in an array, or its line in *lines*."""
    index_match = UNIT_INDEX.match(error.fields.get("field") or "")
    if index_match is not None:
        index = int(index_match[1])
        error.fields["line"] = index + 1 if lines is None else lines[index]
    return error


def render_counts(answer: Answer) -> bytes:
    """Return the counts of one transaction.

    Raises:
        Rejection: it was refused.

    """
    reply: ImportReply = answer.only()
    return msgspec.json.encode(ImportAnswer(reply.added, reply.updated, reply.unchanged, answer.position))


def render_array_counts(answer: Answer) -> bytes:
    """Return the counts of an array.

    Raises:
        Rejection: it was refused; `line` is the number of the unit.

    """
    try:
        return render_counts(answer)
    except Rejection as error:
        raise with_line(error) from None


class ImportStream:
    """Stores the chunks of one request: one is stored while the next is read.

    A chunk with a dependency that does not exist yet waits for the next chunks, and is stored together with them (B-DAG-1).
    """

    def __init__(self, request: WriteRequest) -> None:
        self.request = request
        self.origin = request.origin()
        self.totals = ImportTotals()
        self.waiting: Chunk | None = None
        self.refusal: Rejection | None = None
        self.storing: asyncio.Task[None] | None = None

    async def add(self, chunk: Chunk) -> None:
        """Start to store *chunk*, joined with those that wait for it, once the previous one is stored.

        Raises:
            Rejection: the chunks that wait are too large to be stored together.

        """
        await self.settle()
        joined = chunk if self.waiting is None else self.waiting.joined(chunk)
        if self.refusal is not None and (len(joined.lines) > MAX_UNITS or joined.size > MAX_JOINED_BYTES):
            raise self.refusal
        self.storing = asyncio.create_task(self.store(joined))

    async def settle(self) -> None:
        """Wait until the chunk that was added last is stored, or waits for the next one."""
        storing, self.storing = self.storing, None
        if storing is not None:
            await storing

    async def end(self) -> None:
        """Finish; chunks that still wait are refused, because no more lines come.

        Raises:
            Rejection: a dependency is missing.

        """
        await self.settle()
        if self.refusal is not None:
            raise self.refusal

    async def store(self, chunk: Chunk) -> None:
        """Store one chunk and count it, or keep it until the next one comes.

        Raises:
            Rejection: a unit is refused; `line` is its number.

        """
        units = parse_chunk(chunk)
        # Joined chunks that still lack the missing unit would be refused again: they wait without asking the Writer.
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
            with_line(error, chunk.line_numbers())
            # a reused key: a repetition of chunks that were stored joined, see `chunk_origin`
            if not (isinstance(error, MissingDependency) or error.fields.get("field") == "Idempotency-Key"):
                raise
            self.waiting, self.refusal = chunk, error
        except Rejection as error:
            raise with_line(error, chunk.line_numbers()) from None
        else:
            self.waiting = self.refusal = None
            self.totals.add(answer, len(chunk.lines))

    def chunk_origin(self, chunk: Chunk) -> Origin:
        """Return the origin of a chunk with an idempotency key of its own, so that a repeated request repeats every answer.

        Joined chunks have the key of the first one and another digest. A repetition that submits the first one alone is refused
        for its digest, waits for the next chunk like the first time, and so finds the answer of the joined ones.
        """
        if self.origin.key is None:
            return self.origin
        key = sha256(f"{self.origin.key}\0{chunk.first}".encode()).hexdigest()
        digest = sha256(self.request.digest() + b"\n".join(chunk.lines)).digest()
        return replace(self.origin, key=key, digest=digest, render=render_counts)


async def add_lines(request: WriteRequest, stream: ImportStream) -> RawResponse:
    """Store the lines of a request chunk by chunk; at most two chunks are in memory, and those that wait.

    Raises:
        Rejection: `lines` says how many lines are stored all the same.

    """
    try:
        try:
            async for chunk in read_chunks(request.receive):
                await stream.add(chunk)
        finally:
            await stream.settle()
        await stream.end()
    except Rejection as error:
        error.fields |= stored_part(stream)
        raise
    totals = stream.totals
    body = ImportAnswer(totals.added, totals.updated, totals.unchanged, totals.answer.position, totals.lines)
    return json_response(msgspec.json.encode(body), totals.answer)


def stored_part(stream: ImportStream) -> dict[str, int | None]:
    """Return how many lines, from the first one, of a refused stream are stored, and up to which position."""
    return {"lines": stream.totals.lines, "position": stream.totals.answer.position or None}


HANDLERS = (add_units,)
