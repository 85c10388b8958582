"""The types of fields in requests: names, numbers, texts and instants, with their limits."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Raw, Struct

from service.domain import ids
from service.domain.content.json_limits import Misfit
from service.domain.content.path_names import KEY_CHARS, NAME_CHARS, SLUG
from service.domain.decode_error import END

INT32 = 2**31 - 1
EARLIEST, LATEST = 1970, 9000
PRINTABLE = r"^[^\u0000-\u001f\u007f-\u009f]+$"
"""The pattern in the OpenAPI document. `printable` refuses some more characters, which a regular expression cannot list."""
PRINTABLE_SCHEMA = {"pattern": PRINTABLE}

Slug = Annotated[
    ids.CampaignName,
    Meta(pattern=f"^{SLUG}${END}", description="Name of a campaign.", examples=["nightly"]),
]
Key = Annotated[
    ids.UnitKey,
    Meta(
        min_length=1,
        max_length=KEY_CHARS,
        description="Printable, unique in its campaign.",
        examples=["a"],
        extra_json_schema=PRINTABLE_SCHEMA,
    ),
]
Worker = Annotated[
    ids.WorkerId,
    Meta(
        min_length=1,
        max_length=NAME_CHARS,
        description="The worker's own identifier.",
        examples=["w-1"],
        extra_json_schema=PRINTABLE_SCHEMA,
    ),
]
Quota = Annotated[
    ids.QuotaKey,
    Meta(
        min_length=1,
        max_length=NAME_CHARS,
        description="Provider or account.",
        examples=["anthropic"],
        extra_json_schema=PRINTABLE_SCHEMA,
    ),
]
Token = Annotated[
    ids.Token,
    Meta(min_length=1, max_length=NAME_CHARS, description="Fencing token of a claim.", extra_json_schema=PRINTABLE_SCHEMA),
]
Int32 = Annotated[int, Meta(ge=-INT32 - 1, le=INT32)]
ParkSeconds = Annotated[
    float,
    Meta(ge=1, le=34_560_000, description="Seconds from now, by the service's clock; goes before resume_at. At most 400 days."),
]
Word = Annotated[str, Meta(min_length=1, max_length=200)]
Line = Annotated[str, Meta(max_length=1000)]
Text = Annotated[str, Meta(max_length=65_536)]
Share = Annotated[float, Meta(ge=0, le=1)]
Labels = Annotated[dict[Annotated[str, Meta(min_length=1, max_length=128)], Line], Meta(max_length=64)]
Usage = Annotated[dict[Annotated[str, Meta(min_length=1, max_length=128)], Annotated[float, Meta(ge=0)]], Meta(max_length=64)]


class RequestBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of request bodies; an unknown field is refused by its name."""


def null() -> Raw:
    """Return JSON null, the default of a free document."""
    return Raw(b"null")


def printable(field: str, text: str | None) -> None:
    """Refuse an identifier with a character that is not printable.

    Raises:
        Misfit: naming *field*.

    """
    if text is not None and not text.isprintable():
        raise Misfit(field, "must hold printable characters alone")


def instant(field: str, at: datetime | None) -> None:
    """Refuse a time outside the years that both Python and Postgres can convert to UTC.

    Raises:
        Misfit: naming *field*.

    """
    if at is not None and not EARLIEST <= at.year <= LATEST:
        raise Misfit(field, f"must lie between the years {EARLIEST} and {LATEST}")


def shallow(field: str, value: Any, limit: int = 16) -> None:  # noqa: ANN401 - any JSON
    """Refuse a decoded document that is nested more than *limit* levels deep.

    Raises:
        Misfit: naming *field*.

    """
    level = [value]
    for _ in range(limit):
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
        if not level:
            return
    raise Misfit(field, f"is nested more than {limit} levels deep")
