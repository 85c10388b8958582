"""Answers: ready bytes with the position of what was decided."""

from collections.abc import Awaitable, Callable, Sequence

import msgspec
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send
from msgspec import Raw
from msgspec.json import Decoder
from msgspec.structs import replace
from typing_extensions import override

from service.domain.commands import Command
from service.domain.rejections import NotFound, ReadUnavailable, Unprocessable
from service.http.request.request import WriteRequest
from service.submission import Answer

Headers = tuple[tuple[bytes, bytes], ...]
MEMBERS = Decoder(dict[str, Raw])


class RawResponse(ASGIResponse):
    """An answer whose bytes are ready; nothing is encoded, looked up or wrapped on its way out."""

    def __init__(self, body: bytes, status: int = 200, headers: Headers = (), media: bytes = b"application/json") -> None:
        self.content = body
        self.status_code = status
        self.fields = [(b"content-type", media), (b"content-length", b"%d" % len(body)), *headers]

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.fields})
        await send({"type": "http.response.body", "body": self.content, "more_body": False})


def json_response(body: bytes, answer: Answer, status: int = 200, headers: Headers = ()) -> RawResponse:
    """Return *body* as the answer to a mutation."""
    fields: Headers = ((b"muster-position", b"%d" % answer.position), *headers)
    if answer.replayed:
        fields = (*fields, (b"idempotency-replayed", b"true"))
    return RawResponse(body, status, fields)


async def answered(
    call: WriteRequest, commands: Sequence[Command], render: Callable[[Answer], bytes], screens: dict[str, str] | None = None
) -> RawResponse:
    """Submit, and answer with what *render* makes of the answer; a repetition gets the first body again."""
    origin = call.origin(screens)
    if origin.key is not None:
        origin = replace(origin, render=render)
    answer = await call.context.writer.submit(commands, origin)
    refuse_other_request(answer)
    return json_response(render(answer) if answer.body is None else answer.body, answer)


def refuse_other_request(answer: Answer) -> None:
    """Refuse the whole request when its idempotency key belongs to another one."""
    for result in answer.results[:1]:
        if isinstance(result, Unprocessable) and result.fields.get("field") == "Idempotency-Key":
            raise result


async def submit_and_view(
    call: WriteRequest, command: Command, view: Callable[[int], Awaitable[Raw | None]], status: int = 200
) -> RawResponse:
    """Submit, and answer with *view* as it is at the position of the answer; it is kept for a repetition."""
    answer = await call.submit(command)
    if answer.body is not None:
        return json_response(answer.body, answer, status, version(MEMBERS.decode(answer.body)))
    return await viewed(call, answer, await view(answer.position), status)


async def viewed(call: WriteRequest, answer: Answer, view: Raw | None, status: int = 200) -> RawResponse:
    """Answer with *view*, under the position of the answer."""
    if view is None:
        raise ReadUnavailable("what was asked for is stored and not visible yet", position=answer.position)
    members = MEMBERS.decode(view)
    members["position"] = Raw(b"%d" % answer.position)
    body = msgspec.json.encode(members)
    await keep(call, status, body)
    return json_response(body, answer, status, version(members))


async def keep(call: WriteRequest, status: int, body: bytes) -> None:
    """Store a body for a repetition of the request's idempotency key, if it has one."""
    if (key := call.key) is not None:
        await call.context.replays.keep(key, status, body)


def version(members: dict[str, Raw]) -> Headers:
    """Return the ETag of a view that has a version."""
    found = members.get("version")
    return () if found is None or bytes(found) == b"null" else ((b"etag", b'"%s"' % bytes(found)),)


def not_found(kind: str, name: str) -> NotFound:
    """Return the refusal of a name that nothing has."""
    return NotFound(f"there is no {kind} {name!r}", field=kind, current=name)
