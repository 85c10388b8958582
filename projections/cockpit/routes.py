"""The routes of the cockpit: pages, actions, the stream that says when to reload, and our own files.

app = Litestar([*routes, *COCKPIT_ROUTES], opt={"cockpit": CockpitServices(context), …}, …)
"""

import logging
from collections.abc import AsyncIterator

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.params import FromPath
from litestar.response import Stream
from msgspec import Struct

from projections.cockpit import session
from projections.cockpit.actions import ACTIONS, BY_TEMPLATE
from projections.cockpit.downloads import FILES
from projections.cockpit.html import ASSETS, FIELD, HEADERS, RenderedPage, fragment, rendered_page, whole
from projections.cockpit.page_cache import ResubmitForm, page_of, refused_page
from projections.cockpit.pages.registry import PAGES
from projections.cockpit.request import PageRequest, url_from
from projections.cockpit.session import FLASH, FLASH_S, SESSION, Flash, Forged
from projections.cockpit.url import PageUrl, address
from service.domain.rejections import NotFound, Rejection, Unavailable

HTML = "text/html"
HERE = "here"
"""The field of a form with the page that it is on, so that a refused form is shown again with what was typed."""
BODY_BYTES = 1024 * 1024
YEAR_S = 365 * 86400
log = logging.getLogger(__name__)


class ActionOutcome(Struct, frozen=True):
    """How an action ended: the *form* that was sent, what to say about it, and why it was *refused*, if it was."""

    form: dict[str, str]
    flash: Flash
    refused: Rejection | None = None

    @classmethod
    def refusal(cls, form: dict[str, str], error: Rejection) -> "ActionOutcome":
        """Return the outcome of an action that was refused."""
        return cls(form, Flash(error.detail, "refused"), error)


class PageResponse(Struct, frozen=True):
    """What an answer shows: a page, its address, and why an action was *refused*. One that is *still* does not reload itself."""

    page: RenderedPage
    url: PageUrl
    flash: Flash | None = None
    still: bool = False
    refused: Rejection | None = None


@get(list(PAGES), request_class=PageRequest, include_in_schema=False)
async def page(request: PageRequest) -> Response[bytes]:
    """Show a page; our script gets only the part of it that changes, and leaves the flash to the next whole page."""
    flash = session.flash_of(request.cookies)
    try:
        url = request.page_url
        rendered = await request.cockpit.page_cache.get(request.cockpit.context, url, flash.position if flash else 0)
    except Rejection as error:
        url, rendered = PageUrl(), refused_page(error)
    return show(request, PageResponse(rendered, url, None if request.fetched else flash))


@get("/campaigns/{name:str}/failures", include_in_schema=False)
async def failures(name: FromPath[str]) -> Response[bytes]:
    """Redirect from a dashboard to the failures of a campaign."""
    return redirect(address("campaigns", name) + "#failures", status=302)


@get("/events/{position:int}", include_in_schema=False)
async def event(position: FromPath[int]) -> Response[bytes]:
    """Redirect from an exemplar to its event in the log."""
    return redirect(address("events", before=str(position + 1)) + f"#e-{position}", status=302)


@post(list(ACTIONS), request_class=PageRequest, include_in_schema=False, request_max_body_size=BODY_BYTES, status_code=303)
async def action(request: PageRequest) -> Response[bytes]:
    """Carry out the action of a form."""
    return await respond(request, await carry_out(request))


async def carry_out(request: PageRequest) -> ActionOutcome:
    """Carry out the action of a form; return how it ended."""
    form: dict[str, str] = {}
    try:
        form = await request.form_fields()
        session.require_own(session.token_of(request.cookies), form.get(FIELD, ""), request.headers.get("sec-fetch-site"))
        flash = await BY_TEMPLATE[request.scope["path_template"]](request.cockpit.context, request.page_url, form)
    except Rejection as error:
        return ActionOutcome.refusal(form, error)
    return ActionOutcome(form, flash)


async def respond(request: PageRequest, outcome: ActionOutcome) -> Response[bytes]:
    """Answer an action with a page, or with a redirect to the page that it came from."""
    shown = await page_after(request, outcome)
    if shown is not None:
        return show(request, shown)
    kept = [cookie(request, FLASH, session.flash_cookie(outcome.flash), FLASH_S)]
    return redirect(str(url_from(outcome.form, "back")), status=303, cookies=kept)


# One branch for each ending: what must not be lost (typed text, the session) comes before what is convenient.
async def page_after(request: PageRequest, outcome: ActionOutcome) -> PageResponse | None:
    """Return the page that an action ends with, None for a redirect: only a browser without our script gets one."""
    form, flash, refused = outcome.form, outcome.flash, outcome.refused
    back, fetched = url_from(form, "back"), request.fetched
    if fetched and isinstance(refused, Unavailable | Forged):
        # No page: our script keeps the one it has, with everything that was typed.
        return PageResponse(RenderedPage("", "", "", refused.status), back, flash, refused=refused)
    if isinstance(refused, Unavailable):
        again = ResubmitForm(str(request.page_url), form, "Try again")
        return PageResponse(refused_page(refused, again), back, still=True, refused=refused)
    if not fetched and isinstance(refused, NotFound | Forged):
        return PageResponse(refused_page(refused), back, refused=refused)
    if refused is not None and HERE in form:
        return await form_again(request, outcome, refused)
    if fetched:
        rendered = await request.cockpit.page_cache.get(request.cockpit.context, back, flash.position)
        return PageResponse(rendered, back, flash, refused=refused)
    return None


async def form_again(request: PageRequest, outcome: ActionOutcome, refused: Rejection) -> PageResponse | None:
    """Return the page of a refused form, with what was typed and the problem beside its field."""
    url = url_from(outcome.form, HERE)
    page = await page_of(request.cockpit.context, url)
    if isinstance(unreadable := page.facts.get("refused"), Unavailable):
        return await page_after(request, ActionOutcome.refusal(outcome.form, unreadable))
    page.typed, page.problem = outcome.form, refused
    return PageResponse(rendered_page(page, url), url, outcome.flash, still=True, refused=refused)


def show(request: PageRequest, shown: PageResponse) -> Response[bytes]:
    """Answer with a page, or our script with the part of it that changes; a session without a secret gets one."""
    token = session.token_of(request.cookies)
    secret = token or session.new_token()
    cookies = [] if token else [cookie(request, SESSION, secret)]
    if request.fetched:
        body = fragment(shown.page, secret, shown.flash)
    else:
        body = whole(shown.page, shown.url, secret, shown.flash, still=shown.still)
        cookies += [cookie(request, FLASH, "", 0)] if FLASH in request.cookies else []
    refused = shown.refused
    headers = {**HEADERS, "Retry-After": str(refused.retry_after_s)} if isinstance(refused, Unavailable) else HEADERS
    status = shown.page.status if refused is None else refused.status
    return Response(body, status_code=status, media_type=HTML, headers=headers, cookies=cookies)


def redirect(url: str, *, status: int, cookies: list[Cookie] | None = None) -> Response[bytes]:
    """Redirect to another address of ours."""
    return Response(b"", status_code=status, headers={**HEADERS, "Location": url}, cookies=cookies)


def cookie(request: PageRequest, name: str, value: str, max_age: int | None = None) -> Cookie:
    """Return a cookie that no script reads and no other site sends."""
    return Cookie(key=name, value=value, path="/", httponly=True, samesite="strict", secure=request.secure, max_age=max_age)


@get("/stream", request_class=PageRequest, include_in_schema=False)
async def stream(request: PageRequest) -> Stream:
    """Stream an event whenever the views have moved, a few times a second at most."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff"}
    return Stream(ticks(request), media_type="text/event-stream", headers=headers)


async def ticks(request: PageRequest) -> AsyncIterator[bytes]:
    """Yield the ticks of the ticker as server-sent events."""
    context = request.cockpit.context
    with context.process.stream():
        yield b": watching\nretry: 1000\n\n"
        async for position in context.ticker.ticks():
            yield b": alive\n\n" if position is None else b"event: moved\ndata: %d\n\n" % position


@get("/static/{name:str}", request_class=PageRequest, include_in_schema=False)
async def static(request: PageRequest, name: FromPath[str]) -> Response[bytes]:
    """Return a file of ours; its address changes with its content.

    Raises:
        NotFound: there is no such file.

    """
    found = ASSETS.get(name)
    if found is None:
        raise NotFound("there is no such file", field="path", current=name)
    versioned = request.query_params.get("v") == found.version
    headers = {
        "Cache-Control": f"public, max-age={YEAR_S}, immutable" if versioned else "no-cache",
        "X-Content-Type-Options": "nosniff",
        "ETag": f'"{found.version}"',
    }
    return Response(found.body, media_type=found.media, headers=headers)


COCKPIT_ROUTES = [page, failures, event, action, stream, static, *FILES]
