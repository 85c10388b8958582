"""The pages that document the API: the OpenAPI document, its browsable form, and a page for each problem type."""

from inspect import cleandoc

import msgspec
from litestar import Litestar, Request, get
from litestar.datastructures import State

from service.domain.rejections import NotFound
from service.http.openapi.document import document
from service.http.openapi.html import code, page, reference
from service.http.problems import KINDS
from service.http.response import RawResponse

Page = Request[None, None, State]
HTML = b"text/html; charset=utf-8"
STRICT = ((b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'"), (b"x-content-type-options", b"nosniff"))


@get("/schema/openapi.json", include_in_schema=False)
async def read_document(request: Page) -> RawResponse:
    """Return the OpenAPI document."""
    return RawResponse(rendered_reference(request.app)[0])


@get("/schema", include_in_schema=False)
async def read_reference(request: Page) -> RawResponse:
    """Return the OpenAPI document as a page."""
    return RawResponse(rendered_reference(request.app)[1], 200, STRICT, HTML)


@get("/problems/{slug:str}", include_in_schema=False)
async def read_problem(request: Page) -> RawResponse:
    """Explain one problem type."""
    kind = KINDS.get(request.path_params["slug"])
    if kind is None:
        raise NotFound("there is no problem of that name", field="slug", allowed=sorted(KINDS))
    what = (
        f"<h1>{kind.title}</h1><p><code>{kind.slug}</code>, status {kind.status}</p><p>{code(cleandoc(kind.__doc__ or ''))}</p>"
    )
    return RawResponse(page(kind.title, what + '<p><a href="/schema">The API</a></p>'), 200, STRICT, HTML)


def rendered_reference(app: Litestar) -> tuple[bytes, bytes]:
    """Return the document and its page, which the first request renders."""
    if "reference" not in app.state:
        whole = document(app)
        app.state.reference = msgspec.json.encode(whole), reference(whole)
    pages: tuple[bytes, bytes] = app.state.reference
    return pages


HANDLERS = (read_document, read_reference, read_problem)
