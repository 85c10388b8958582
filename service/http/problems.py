"""Problem documents (RFC 9457): what every refusal, every error and every bug looks like to a client."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.response.base import ASGIResponse
from litestar.types import ExceptionHandlersMap, Scope

from service.domain.rejections import REJECTIONS, NotFound, Rejection, Validation
from service.submission import Unavailable

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
log = logging.getLogger(__name__)


class PayloadTooLarge(Rejection):
    """The body, or one document in it, is larger than what is taken."""

    status, slug, title = 413, "payload-too-large", "The payload is too large"


class TooManyRequests(Rejection):
    """The service holds as many waiting requests as it can bear; ask again after `Retry-After`."""

    status, slug, title = 429, "too-many-requests", "Too many requests"


class ReadTimedOut(Rejection):
    """The database is away, or what was asked for is not visible yet; ask again after `Retry-After`."""

    status, slug, title = 503, "unavailable", "Unavailable"


class Unauthenticated(Rejection):
    """The request does not say who asks."""

    status, slug, title = 401, "unauthenticated", "Who are you?"


class Forbidden(Rejection):
    """The one who asks may not do this."""

    status, slug, title = 403, "forbidden", "Not allowed"


class MethodNotAllowed(Rejection):
    """The path exists, the method does not."""

    status, slug, title = 405, "method-not-allowed", "Method not allowed"


class InternalError(Rejection):
    """The service made a mistake; it is in its log."""

    status, slug, title = 500, "internal", "The service made a mistake"


EDGE: tuple[type[Rejection], ...] = (
    PayloadTooLarge,
    TooManyRequests,
    ReadTimedOut,
    Unauthenticated,
    Forbidden,
    MethodNotAllowed,
    InternalError,
)
Problem = dict[str, Any]
"""A problem document."""
KINDS: dict[str, type[Rejection]] = {kind.slug: kind for kind in (*REJECTIONS, *EDGE)}
BY_STATUS: dict[int, type[Rejection]] = {kind.status: kind for kind in KINDS.values()}


def problem(rejection: Rejection) -> Problem:
    """Return the document that tells a client what is wrong and how to mend it."""
    return {
        "type": f"/problems/{rejection.slug}",
        "title": rejection.title,
        "status": rejection.status,
        "detail": rejection.detail,
        **{name: value for name, value in rejection.fields.items() if value is not None},
    }


def refuse(document: Problem, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """Return a problem document as an answer."""
    status = document["status"]
    extra = dict(headers or {})
    if status in (429, 503):
        extra.setdefault("Retry-After", str(RETRY_AFTER_S))
    if "position" in document:
        extra["Muster-Position"] = str(document["position"])
    content = msgspec.json.encode(document, enc_hook=str)
    return Response(content, status_code=status, media_type=MEDIA_TYPE, headers=extra)


def rejected(_: Request[Any, Any, Any], error: Rejection) -> Response[bytes]:
    """Answer a refusal."""
    return refuse(problem(error))


def unavailable(_: Request[Any, Any, Any], _error: Exception) -> Response[bytes]:
    """Answer that the database is away; the Writer says so in the log, once."""
    return refuse(problem(ReadTimedOut("the database is away; nothing is known to have been stored")))


def misrouted(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Answer what the framework refused: an unknown path, a wrong method, a request it cannot read."""
    kind = BY_STATUS.get(error.status_code, Validation)
    if error.status_code >= InternalError.status:
        return bug(request, error)
    if kind is MethodNotAllowed:
        return not_allowed(request, error.headers or {})
    detail = f"there is nothing at {request.scope['path']!r}" if kind is NotFound else error.detail
    return refuse(problem(kind(detail)))


def not_allowed(request: Request[Any, Any, Any], headers: Mapping[str, str]) -> Response[bytes]:
    """Answer that a path does not know a method, and which it knows."""
    allowed = {method.strip() for method in headers.get("allow", "").split(",")}
    allowed |= {"HEAD"} if "GET" in allowed else set()
    error = MethodNotAllowed(f"{request.scope['method']} is not allowed here", allowed=sorted(allowed))
    return refuse(problem(error), {"Allow": ", ".join(sorted(allowed))})


def options(methods: Sequence[str]) -> ASGIResponse:
    """Answer which methods a path knows."""
    return ASGIResponse(status_code=204, headers={"Allow": ", ".join(methods)})


def bug(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Log a mistake of ours once, with its stack, and say no more than that it happened."""
    log.error("%s %s failed", request.scope["method"], request.scope.get("path_template"), exc_info=error)
    return refuse(problem(InternalError("the service made a mistake; it is in its log")))


def answer_of(scope: Scope, error: Exception) -> ASGIResponse:
    """Return the answer to an exception that left the handler of a request."""
    request = Request[Any, Any, Any](scope)
    handler = next(HANDLERS[kind] for kind in type(error).__mro__ if kind in HANDLERS)
    return handler(request, error).to_asgi_response(app=None, request=request)


HANDLERS: ExceptionHandlersMap = {
    Rejection: rejected,
    Unavailable: unavailable,
    HTTPException: misrouted,
    Exception: bug,
}
"""How the app answers each kind of exception."""
