"""The routes of the cockpit: pages, orders, the stream that says when to look again, and our own files.

app = Litestar([*routes, *PAGES_AND_ORDERS], opt={"cockpit": Cockpit(context), …}, …)
"""

import logging
from collections.abc import AsyncIterator

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.params import FromPath
from litestar.response import Stream

from projections.cockpit import session
from projections.cockpit.actions import ACTIONS, BY_TEMPLATE
from projections.cockpit.downloads import FILES
from projections.cockpit.html import ASSETS, FIELD, HEADERS, RenderedPage, fragment, rendered_page, whole
from projections.cockpit.page_cache import ResubmitForm, page_of, refused_page
from projections.cockpit.pages.registry import PAGES
from projections.cockpit.request import PageRequest, place_from
from projections.cockpit.session import FLASH, FLASH_S, SESSION, Flash, Forged
from projections.cockpit.url import PageUrl, address
from service.domain.rejections import NotFound, Rejection, Unavailable

HTML = "text/html"
HERE = "here"
"""The field of a form that says on which page it stands, so that what was typed comes back with what is wrong with it."""
BODY_BYTES = 1024 * 1024
YEAR_S = 365 * 86400
log = logging.getLogger(__name__)


@get(list(PAGES), request_class=PageRequest, include_in_schema=False)
async def page(request: PageRequest) -> Response[bytes]:
    """Show a page; to our script, what of it changes."""
    cookies = request.cookies
    flash = session.flash_of(cookies)
    try:
        url = request.page_url
        drawn = await request.cockpit.page_cache.look(request.cockpit.context, url, flash.position if flash else 0)
    except Rejection as refused:
        url, drawn = PageUrl(), refused_page(refused)
    return answered(request, drawn, url, flash)


@get("/campaigns/{name:str}/failures", include_in_schema=False)
async def failures(name: FromPath[str]) -> Response[bytes]:
    """Lead from a dashboard to what failed in a campaign."""
    return elsewhere(address("campaigns", name) + "#failures")


@get("/events/{position:int}", include_in_schema=False)
async def event(position: FromPath[int]) -> Response[bytes]:
    """Lead from an exemplar to its event, with what came before it."""
    return elsewhere(address("events", before=str(position + 1)) + f"#e-{position}")


def elsewhere(url: str) -> Response[bytes]:
    """Lead to another address of ours."""
    return Response(b"", status_code=302, headers={**HEADERS, "Location": url})


def answered(request: PageRequest, drawn: RenderedPage, url: PageUrl, flash: Flash | None) -> Response[bytes]:
    """Answer with a page, or with what of it changes; a session without a secret gets one."""
    cookies = request.cookies
    token = session.token_of(cookies)
    fresh = token or session.new_token()
    kept = [] if token else [cookie(request, SESSION, fresh)]
    if request.fetched:
        body = fragment(drawn, fresh, None)
    else:
        body = whole(drawn, url, fresh, flash)
        kept += [cookie(request, FLASH, "", 0)] if FLASH in cookies else []
    return Response(body, status_code=drawn.status, media_type=HTML, headers=HEADERS, cookies=kept)


def cookie(request: PageRequest, name: str, value: str, max_age: int | None = None) -> Cookie:
    """Return a cookie that no script reads and no other site sends."""
    return Cookie(key=name, value=value, path="/", httponly=True, samesite="strict", secure=request.secure, max_age=max_age)


@post(list(ACTIONS), request_class=PageRequest, include_in_schema=False, request_max_body_size=BODY_BYTES, status_code=303)
async def order(request: PageRequest) -> Response[bytes]:
    """Carry an order out: back to its page with a word about it, or to our script that page as it is now."""
    form: dict[str, str] = {}
    refused: Rejection | None = None
    try:
        form = await request.form_fields()
        session.require_own(session.token_of(request.cookies), form.get(FIELD, ""), request.headers.get("sec-fetch-site"))
        flash = await BY_TEMPLATE[request.scope["path_template"]](request.cockpit.context, request.page_url, form)
    except Unavailable as error:
        return away(request, form, error)
    except Rejection as error:
        refused, flash = error, Flash(error.detail, "refused")
    back = place_from(form, "back")
    if request.fetched and (refused is None or HERE not in form):
        return await merged(request, back, flash, refused)
    if isinstance(refused, NotFound | Forged):
        return answered(request, refused_page(refused), back, None)
    if refused is not None and HERE in form:
        return await again(request, form, flash, refused)
    kept = [cookie(request, FLASH, session.flash_cookie(flash), FLASH_S)]
    return Response(b"", status_code=303, headers={**HEADERS, "Location": str(back)}, cookies=kept)


async def again(request: PageRequest, form: dict[str, str], flash: Flash, refused: Rejection) -> Response[bytes]:
    """Answer with the form as it was sent, and the problem beside its field."""
    url = place_from(form, HERE)
    page = await page_of(request.cockpit.context, url)
    if isinstance(unreadable := page.facts.get("refused"), Unavailable):
        return away(request, form, unreadable)
    page.typed, page.problem = form, refused
    shown, token = rendered_page(page, url), session.token_of(request.cookies) or ""
    body = fragment(shown, token, flash) if request.fetched else whole(shown, url, token, flash, still=True)
    return Response(body, status_code=refused.status, media_type=HTML, headers=HEADERS)


def away(request: PageRequest, form: dict[str, str], refused: Unavailable) -> Response[bytes]:
    """Lose nothing that was typed: our script leaves its page as it is; who has none gets it back, to be sent again."""
    token, headers = session.token_of(request.cookies) or "", {**HEADERS, "Retry-After": str(refused.retry_after_s)}
    if request.fetched:
        body = fragment(RenderedPage("", "", "", refused.status), token, Flash(refused.detail, "refused"))
    else:
        again = ResubmitForm(str(request.page_url), form, "Try again")
        body = whole(refused_page(refused, again), place_from(form, "back"), token, None, still=True)
    return Response(body, status_code=refused.status, media_type=HTML, headers=headers)


async def merged(request: PageRequest, back: PageUrl, flash: Flash, refused: Rejection | None) -> Response[bytes]:
    """Answer our script with the page as it is now, and what happened."""
    token = session.token_of(request.cookies) or ""
    if isinstance(refused, Forged):
        drawn, token = RenderedPage("", "", "", refused.status), ""
    else:
        drawn = await request.cockpit.page_cache.look(request.cockpit.context, back, flash.position)
    status = drawn.status if refused is None else refused.status
    return Response(fragment(drawn, token, flash), status_code=status, media_type=HTML, headers=HEADERS)


@get("/stream", request_class=PageRequest, include_in_schema=False)
async def stream(request: PageRequest) -> Stream:
    """Say when the views have moved, a few times a second at most."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff"}
    return Stream(beats(request), media_type="text/event-stream", headers=headers)


async def beats(request: PageRequest) -> AsyncIterator[bytes]:
    """Yield the ticks of the ticker as server-sent events."""
    context = request.cockpit.context
    with context.process.stream():
        yield b": watching\nretry: 1000\n\n"
        async for position in context.ticker.beats():
            yield b": alive\n\n" if position is None else b"event: moved\ndata: %d\n\n" % position


@get("/static/{name:str}", request_class=PageRequest, include_in_schema=False)
async def static(request: PageRequest, name: FromPath[str]) -> Response[bytes]:
    """Return a file of ours; its address changes when it does."""
    found = ASSETS.get(name)
    if found is None:
        raise NotFound("there is no such file", field="path", current=name)
    lasting = request.query_params.get("v") == found.version
    headers = {
        "Cache-Control": f"public, max-age={YEAR_S}, immutable" if lasting else "no-cache",
        "X-Content-Type-Options": "nosniff",
        "ETag": f'"{found.version}"',
    }
    return Response(found.body, media_type=found.media, headers=headers)


PAGES_AND_ORDERS = [page, failures, event, order, stream, static, *FILES]
