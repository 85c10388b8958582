"""The pages that explain the API: the OpenAPI document, its browsable form, and a page for each kind of problem."""

from litestar import get
from litestar.handlers import HTTPRouteHandler

from service.domain.rejections import NotFound
from service.http.answer import Ready
from service.http.call import Call
from service.http.problems import KINDS


def routes() -> tuple[HTTPRouteHandler, ...]:
    """Return the handlers of this file."""
    return (read_problem,)


@get("/problems/{slug:str}", include_in_schema=False)
async def read_problem(request: Call) -> Ready:
    """Explain one kind of problem."""
    kind = KINDS.get(request.path_params["slug"])
    if kind is None:
        raise NotFound("there is no problem of that name", field="slug", allowed=sorted(KINDS))
    return Ready(b"{}")
