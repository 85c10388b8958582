"""Responses of mutations, from a heartbeat to an import: encoded bodies with the position of the decided events."""

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
    """A response whose body is encoded already; Litestar's own response would encode and copy it again."""

    def __init__(self, body: bytes, status: int = 200, headers: Headers = (), media: bytes = b"application/json") -> None:
        self.content = body
        self.status_code = status
        self.fields = [(b"content-type", media), (b"content-length", b"%d" % len(body)), *headers]

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.fields})
        await send({"type": "http.response.body", "body": self.content, "more_body": False})


def json_response(body: bytes, answer: Answer, status: int = 200, headers: Headers = ()) -> RawResponse:
    """Return *body* as the response to a mutation."""
    fields: Headers = ((b"muster-position", b"%d" % answer.position), *headers)
    if answer.replayed:
        fields = (*fields, (b"idempotency-replayed", b"true"))
    return RawResponse(body, status, fields)


async def submit_and_render(
    request: WriteRequest, commands: Sequence[Command], render: Callable[[Answer], bytes], screens: dict[str, str] | None = None
) -> RawResponse:
    """Submit *commands* and respond with the body that *render* returns; a repetition gets the first body again.

    Raises:
        Unprocessable: the idempotency key belongs to another request.
        WriteUnavailable: the Writer has no outcome.

    """
    origin = request.origin(screens)
    if origin.key is not None:
        origin = replace(origin, render=render)
    answer = await request.context.writer.submit(commands, origin)
    refuse_other_request(answer)
    return json_response(render(answer) if answer.body is None else answer.body, answer)


def refuse_other_request(answer: Answer) -> None:
    """Refuse the whole request when its idempotency key belongs to another one.

    Raises:
        Unprocessable: it does.

    """
    for result in answer.results[:1]:
        if isinstance(result, Unprocessable) and result.fields.get("field") == "Idempotency-Key":
            raise result


async def submit_and_view(
    request: WriteRequest, command: Command, view: Callable[[int], Awaitable[Raw | None]], status: int = 200
) -> RawResponse:
    """Submit *command* and respond with *view* at the position of its events; a repetition gets the same body.

    Raises:
        Rejection: the command was refused.
        Unavailable: the Writer has no outcome, or the view is not visible in time.

    """
    answer = await request.submit(command)
    if answer.body is not None:
        return json_response(answer.body, answer, status, etag(MEMBERS.decode(answer.body)))
    return await view_response(request, answer, await view(answer.position), status)


async def view_response(request: WriteRequest, answer: Answer, view: Raw | None, status: int = 200) -> RawResponse:
    """Respond with *view*, with the position of the answer in it.

    Raises:
        ReadUnavailable: there is no view yet.

    """
    if view is None:
        raise ReadUnavailable("the change is stored, but not visible yet", position=answer.position)
    members = MEMBERS.decode(view)
    members["position"] = Raw(b"%d" % answer.position)
    body = msgspec.json.encode(members)
    await keep(request, status, body)
    return json_response(body, answer, status, etag(members))


async def keep(request: WriteRequest, status: int, body: bytes) -> None:
    """Store *body* under the idempotency key of the request, if it has one."""
    if (key := request.key) is not None:
        await request.context.replays.keep(key, status, body)


def etag(members: dict[str, Raw]) -> Headers:
    """Return the `ETag` of a view, which is its version; no header for a view without one."""
    version = members.get("version")
    return () if version is None or bytes(version) == b"null" else ((b"etag", b'"%s"' % bytes(version)),)


def not_found(kind: str, name: str) -> NotFound:
    """Return the refusal of a *name* that no *kind* of thing has."""
    return NotFound(f"there is no {kind} {name!r}", field=kind, current=name)
