"""The routes of the write side, and what the composition root does with them.

    desk = Desk(writer=…, views=…, quarantine=…, replays=…, bell=…, stopping=…)
    app = Litestar([routes(desk), *reads], exception_handlers=problems.HANDLERS, openapi_config=None)
    app.asgi_handler = Edge(app.asgi_handler, observe)

*writer* is the Writer; *views* and *quarantine* are reads of the projections (`projections.http.Reader` is both);
*replays* keeps bodies of answers under their idempotency keys; *bell* is rung after every commit that may have made work
claimable; *stopping* is set when the service drains, and ends every claim that waits. *observe* gets method, route
template, status and seconds of every answer.
"""

from litestar import Router

from service.http import campaigns, claims, engine, imports, quotas, reports, retries, single, units, workers
from service.http.call import Call
from service.http.desk import Desk
from service.http.reference import routes as reference

RESOURCES = (campaigns, imports, retries, units, claims, reports, single, workers, engine, quotas)


def routes(desk: Desk) -> Router:
    """Return the mutations of the API, and the pages that explain it."""
    handlers = [handler for resource in RESOURCES for handler in resource.HANDLERS]
    return Router("/", route_handlers=[*handlers, *reference()], request_class=Call, opt={"desk": desk})
