"""Problem documents (RFC 9457): what every refusal, every error and every bug looks like to a client."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.response.base import ASGIResponse
from litestar.types import ExceptionHandlersMap, Scope

from service.domain.rejections import REJECTIONS, RETRY_AFTER_S, NotFound, Rejection, Unavailable, Validation

MEDIA_TYPE = "application/problem+json"
log = logging.getLogger(__name__)


class PayloadTooLarge(Rejection):
    """The body, or one document in it, is larger than what is taken."""

    status, slug, title = 413, "payload-too-large", "The payload is too large"


class TooManyRequests(Rejection):
    """The service holds as many waiting requests as it can bear; ask again after `Retry-After`."""

    status, slug, title = 429, "too-many-requests", "Too many requests"
    retry_after_s = RETRY_AFTER_S


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
    Unavailable,
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


def problem_response(rejection: Rejection, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """Return the answer that carries the problem document of *rejection*."""
    document, extra = problem(rejection), dict(headers or {})
    if rejection.retry_after_s is not None:
        extra["Retry-After"] = str(rejection.retry_after_s)
    if "position" in document:
        extra["Muster-Position"] = str(document["position"])
    content = msgspec.json.encode(document, enc_hook=str)
    return Response(content, status_code=rejection.status, media_type=MEDIA_TYPE, headers=extra)


def rejected(_: Request[Any, Any, Any], error: Rejection) -> Response[bytes]:
    """Answer a refusal."""
    return problem_response(error)


def misrouted(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Answer what the framework refused: an unknown path, a wrong method, a request it cannot read."""
    kind = BY_STATUS.get(error.status_code, Validation)
    if error.status_code >= InternalError.status:
        return bug(request, error)
    if kind is MethodNotAllowed:
        return not_allowed(request, error.headers or {})
    detail = f"there is nothing at {request.scope['path']!r}" if kind is NotFound else error.detail
    return problem_response(kind(detail))


def not_allowed(request: Request[Any, Any, Any], headers: Mapping[str, str]) -> Response[bytes]:
    """Answer that a path does not know a method, and which it knows."""
    allowed = {method.strip() for method in headers.get("allow", "").split(",")}
    allowed |= {"HEAD"} if "GET" in allowed else set()
    error = MethodNotAllowed(f"{request.scope['method']} is not allowed here", allowed=sorted(allowed))
    return problem_response(error, {"Allow": ", ".join(sorted(allowed))})


def options(methods: Sequence[str]) -> ASGIResponse:
    """Answer which methods a path knows."""
    return ASGIResponse(status_code=204, headers={"Allow": ", ".join(methods)})


def bug(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Log a mistake of ours once, with its stack, and say no more than that it happened."""
    log.error("%s %s failed", request.scope["method"], request.scope.get("path_template"), exc_info=error)
    return problem_response(InternalError("the service made a mistake; it is in its log"))


def answer_of(scope: Scope, error: Exception) -> ASGIResponse:
    """Return the answer to an exception that left the handler of a request."""
    request = Request[Any, Any, Any](scope)
    handler = next(HANDLERS[kind] for kind in type(error).__mro__ if kind in HANDLERS)
    return handler(request, error).to_asgi_response(app=None, request=request)


HANDLERS: ExceptionHandlersMap = {
    Rejection: rejected,
    HTTPException: misrouted,
    Exception: bug,
}
"""How the app answers each kind of exception."""
