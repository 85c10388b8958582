"""The routes of the write side, and what the composition root does with them.

    desk = Desk(writer=…, views=…, quarantine=…, bundles=…, replays=…, bell=…, stopping=…)
    app = Litestar([*ROUTES, *reads], opt={"desk": desk}, exception_handlers=problems.HANDLERS, openapi_config=None)
    served = Edge(app, observe)

*writer* is the Writer; *views* and *quarantine* are reads of the projections (`projections.http.Reader` is both),
*bundles* makes diagnostics; *replays* keeps bodies of answers under their idempotency keys; *bell* is rung after every
commit that may have made work claimable; *stopping* is set when the service drains, and ends every claim that waits.
*observe* gets method, route template (`other` where none matched), status and seconds of every answer.
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
"""The mutations of the API, and the pages that explain it."""
