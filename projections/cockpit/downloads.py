"""The download of a bundle of diagnostics."""

from datetime import UTC, datetime
from hashlib import sha256

from litestar import Response, post

from projections.cockpit import session
from projections.cockpit.actions import submit_all
from projections.cockpit.html import FIELD, HEADERS, whole
from projections.cockpit.page_cache import ResubmitForm, refused_page
from projections.cockpit.request import PageRequest, url_from
from service.domain.commands import ExportDiagnostic
from service.domain.rejections import Conflict, NotFound, Rejection

HTML = "text/html"


@post("/campaigns/{name:str}/diagnostics", request_class=PageRequest, include_in_schema=False, status_code=200)
async def diagnostics(request: PageRequest) -> Response[bytes]:
    """Return a bundle as a file, and record the export in the log."""
    form: dict[str, str] = {}
    token = session.token_of(request.cookies)
    try:
        form = await request.form_fields()
        session.require_own(token, form.get(FIELD, ""), request.headers.get("sec-fetch-site"))
        name, context = request.page_url.campaign, request.cockpit.context
        bundle = await context.bundles.bundle(name)
        if bundle is None:
            raise NotFound(f"there is no campaign {name!r}", field="campaign", current=name)
        await submit_all(context, ExportDiagnostic(campaign=name, sha256=sha256(bundle).hexdigest(), force="force" in form))
    except Rejection as refused:
        again = ResubmitForm(str(request.page_url), {**form, "force": "1"}, "Export anyway")
        page = refused_page(refused, again if isinstance(refused, Conflict) else None)
        body = whole(page, url_from(form, "back"), token or "", None, still=True)
        return Response(body, status_code=page.status, media_type=HTML, headers=HEADERS)
    file = f"muster-{name}-{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}.json"
    headers = {"Content-Disposition": f'attachment; filename="{file}"', "Cache-Control": "no-store"}
    return Response(bundle, media_type="application/json", headers=headers)


FILES = [diagnostics]
