"""Problem documents (RFC 9457): the form in which a client gets every refusal and every error."""

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
LOG = logging.getLogger(__name__)


class PayloadTooLarge(Rejection):
    """The body, or one document in it, is larger than its limit."""

    status, slug, title = 413, "payload-too-large", "The payload is too large"


class TooManyRequests(Rejection):
    """Too many requests wait already; ask again after `Retry-After`."""

    status, slug, title = 429, "too-many-requests", "Too many requests"
    retry_after_s = RETRY_AFTER_S


class Unauthenticated(Rejection):
    """The request has no credentials."""

    status, slug, title = 401, "unauthenticated", "Who are you?"


class Forbidden(Rejection):
    """The credentials do not allow this."""

    status, slug, title = 403, "forbidden", "Not allowed"


class MethodNotAllowed(Rejection):
    """The path does not have this method."""

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
    """Return the problem document of *rejection*: what is wrong, and the members that help to correct it."""
    return {
        "type": f"/problems/{rejection.slug}",
        "title": rejection.title,
        "status": rejection.status,
        "detail": rejection.detail,
        **{name: value for name, value in rejection.fields.items() if value is not None},
    }


def problem_response(rejection: Rejection, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """Return the response with the problem document of *rejection*."""
    document, extra = problem(rejection), dict(headers or {})
    if rejection.retry_after_s is not None:
        extra["Retry-After"] = str(rejection.retry_after_s)
    if "position" in document:
        extra["Muster-Position"] = str(document["position"])
    content = msgspec.json.encode(document, enc_hook=str)
    return Response(content, status_code=rejection.status, media_type=MEDIA_TYPE, headers=extra)


def rejected(_: Request[Any, Any, Any], error: Rejection) -> Response[bytes]:
    """Respond to a refusal."""
    return problem_response(error)


def framework_refusal(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Respond to a request that Litestar refused: an unknown path, a wrong method, or one that it cannot read."""
    kind = BY_STATUS.get(error.status_code, Validation)
    if error.status_code >= InternalError.status:
        return bug(request, error)
    if kind is MethodNotAllowed:
        return not_allowed(request, error.headers or {})
    detail = f"there is nothing at {request.scope['path']!r}" if kind is NotFound else error.detail
    return problem_response(kind(detail))


def not_allowed(request: Request[Any, Any, Any], headers: Mapping[str, str]) -> Response[bytes]:
    """Respond that a path does not have a method, and which methods it has."""
    allowed = {method.strip() for method in headers.get("allow", "").split(",")}
    allowed |= {"HEAD"} if "GET" in allowed else set()
    error = MethodNotAllowed(f"{request.scope['method']} is not allowed here", allowed=sorted(allowed))
    return problem_response(error, {"Allow": ", ".join(sorted(allowed))})


def options_response(methods: Sequence[str]) -> ASGIResponse:
    """Respond with the methods of a path."""
    return ASGIResponse(status_code=204, headers={"Allow": ", ".join(methods)})


def bug(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Log a bug once, with its stack; the response says only that there was one."""
    LOG.error("%s %s failed", request.scope["method"], request.scope.get("path_template"), exc_info=error)
    return problem_response(InternalError("the service made a mistake; it is in its log"))


def error_response(scope: Scope, error: Exception) -> ASGIResponse:
    """Return the response to an exception that the handler of a request raised."""
    request = Request[Any, Any, Any](scope)
    handler = next(HANDLERS[kind] for kind in type(error).__mro__ if kind in HANDLERS)
    return handler(request, error).to_asgi_response(app=None, request=request)


HANDLERS: ExceptionHandlersMap = {
    Rejection: rejected,
    HTTPException: framework_refusal,
    Exception: bug,
}
"""The handler of each class of exceptions."""
