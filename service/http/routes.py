"""The routes of the write side, and what the composition root does with them.

    desk = Desk(writer=…, views=…, quarantine=…, bundles=…, replays=…, bell=…, stopping=…)
    app = Litestar([*ROUTES, *reads], opt={"desk": desk}, exception_handlers=problems.HANDLERS, openapi_config=None)
    served = Edge(app, observe)

*writer* is the Writer; *views* and *quarantine* are reads of the projections (`projections.http.Reader` is both),
*bundles* makes diagnostics; *replays* keeps bodies of answers under their idempotency keys; *bell* is rung after every
commit that may have made work claimable; *stopping* is set when the service drains, and ends every claim that waits.
*observe* gets method, route template (`other` where none matched), status and seconds of every answer.
"""

from service.http import (
    campaigns,
    claims,
    diagnostics,
    engine,
    imports,
    investigations,
    quotas,
    recovery,
    reference,
    reports,
    retries,
    single,
    units,
    workers,
)

RESOURCES = (
    campaigns,
    imports,
    retries,
    diagnostics,
    units,
    claims,
    reports,
    single,
    workers,
    engine,
    quotas,
    recovery,
    investigations,
    reference,
)
ROUTES = tuple(handler for resource in RESOURCES for handler in resource.HANDLERS)
"""The mutations of the API, and the pages that explain it."""
