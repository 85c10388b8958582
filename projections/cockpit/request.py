"""A request to the cockpit: its address, its session, and the fields of its form."""

from urllib.parse import parse_qsl

from litestar import Request
from litestar.datastructures import State
from msgspec import field
from typing_extensions import override

from projections.cockpit import session
from projections.cockpit.context import CockpitContext
from projections.cockpit.page_cache import PageCache
from projections.cockpit.url import PageUrl
from service.domain.rejections import Rejection, Validation
from service.route_options import SharedContext

FORM = "application/x-www-form-urlencoded"
FETCH = "cockpit-fetch"
MAX_FIELDS = 200


class CockpitServices(SharedContext, frozen=True):
    """What every request shares: the context and the cache of pages."""

    context: CockpitContext
    page_cache: PageCache = field(default_factory=PageCache)


class PageRequest(Request[None, None, State]):
    """One request to a page."""

    @property
    def cockpit(self) -> CockpitServices:
        """What every request shares: the context and the cache of pages."""
        cockpit: CockpitServices = self.scope["route_handler"].opt["cockpit"]
        return cockpit

    @property
    def page_url(self) -> PageUrl:
        """The address of the page."""
        path: bytes = self.scope["raw_path"].partition(b"?")[0]
        return PageUrl.of(path + b"?" + self.scope["query_string"])

    @property
    @override
    def cookies(self) -> dict[str, str]:
        """The cookies; Litestar's parser unquotes them, which is quadratic in Python before 3.11.10 and 3.12.6."""
        return session.cookies_of(self.headers.get("cookie", ""))

    @property
    def fetched(self) -> bool:
        """Whether our script asks: it wants only the part of a page that changes."""
        return FETCH in self.headers

    @property
    def secure(self) -> bool:
        """Whether it came over TLS."""
        return self.scope["scheme"] == "https"

    async def form_fields(self) -> dict[str, str]:
        """Return the fields of a form.

        Raises:
            Validation: the body is not a form, or a field holds a NUL.

        """
        if self.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
            raise Validation(f"an action is sent as a form: {FORM}", field="Content-Type", allowed=[FORM])
        text = (await self.body()).decode("ascii", "replace")
        try:
            fields = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS))
        except ValueError:
            raise Validation("the form cannot be read") from None
        if any("\0" in name or "\0" in value for name, value in fields.items()):
            raise Validation("a form holds no NUL")
        return {name: value.replace("\r\n", "\n") for name, value in fields.items()}


def url_from(form: dict[str, str], field: str) -> PageUrl:
    """Return the page of the cockpit that a field of a form names; the first page when it names anything else."""
    text = form.get(field, "")
    if not text.startswith("/") or text.startswith("//") or "\\" in text:
        return PageUrl()
    try:
        return PageUrl.of(text.encode())
    except Rejection:
        return PageUrl()
