"""The routes of the write side, and how the composition root uses them.

    context = WriteContext(writer=…, views=…, quarantine=…, bundles=…, replays=…, wakeup=…, stopping=…)
    app = Litestar([*ROUTES, *reads], opt={"write_context": context}, exception_handlers=problems.HANDLERS, openapi_config=None)
    served = Middleware(app, observe)

*writer* is the Writer. *views* and *quarantine* are reads of the projections; `projections.http.reads.Reader` is both. *bundles*
builds diagnostics. *replays* stores bodies under their idempotency keys. *wakeup* is notified after every commit that may have
made work claimable. *stopping* is set when the service drains, and ends every claim that waits. *observe* gets method, route
template (`other` where none matched), status and seconds of every response.
"""

from service.http.handlers import (
    bulk_retry,
    campaigns,
    claim_reports,
    claims,
    diagnostics,
    engine,
    investigations,
    quotas,
    recovery,
    reports,
    unit_import,
    units,
    workers,
)
from service.http.openapi import handlers

RESOURCES = (
    campaigns,
    unit_import,
    bulk_retry,
    diagnostics,
    units,
    claims,
    reports,
    claim_reports,
    workers,
    engine,
    quotas,
    recovery,
    investigations,
    handlers,
)
ROUTES = tuple(handler for resource in RESOURCES for handler in resource.HANDLERS)
"""The mutations of the API, and the pages that document it."""
