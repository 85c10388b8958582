"""The router of every read.

lookout = Lookout(reader, process, stopping)
app = Litestar([routes(desk), reads(lookout)], …)
"""

from litestar import Router

from projections.http import campaigns, fleet, log, metrics, units
from projections.http.look import Look
from projections.http.lookout import Lookout

RESOURCES = (campaigns, units, fleet, log, metrics)


def reads(lookout: Lookout) -> Router:
    """Return the routes of all reads."""
    handlers = [handler for resource in RESOURCES for handler in resource.HANDLERS]
    return Router("/", route_handlers=handlers, request_class=Look, opt={"lookout": lookout})
