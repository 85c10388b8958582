"""Every parameter of the API, described once by its name."""

from datetime import timedelta
from typing import Any, get_args

from service.domain import ids
from service.domain.content.json_limits import INT64
from service.domain.content.path_names import KEY_CHARS, NAME_CHARS, SLUG
from service.domain.events import KINDS
from service.http.request.fields import INT32, PRINTABLE
from service.store.log.idempotency import RETENTION

TEXT: dict[str, Any] = {"type": "string"}


def text(low: int, high: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON schema
    """Return the schema of a text of *low* to *high* characters."""
    return TEXT | {"minLength": low, "maxLength": high, "pattern": PRINTABLE} | more


def word(*allowed: str) -> dict[str, Any]:
    """Return the schema of a word of a closed set."""
    return TEXT | {"enum": list(allowed)}


IN_PATH: dict[str, tuple[str, dict[str, Any]]] = {
    "name": ("Name of a campaign.", TEXT | {"pattern": f"^{SLUG}$", "examples": ["nightly"]}),
    "key": (
        "Key of a unit, percent-encoded: a `/` in it is sent as `%2F`; the keys `.` and `..` as `-` with `?key=.` or `?key=..`.",
        text(1, KEY_CHARS, examples=["a"]),
    ),
    "worker": ("The worker's own identifier.", text(1, NAME_CHARS, examples=["w-1"])),
    "quota": ("Provider or account.", text(1, NAME_CHARS, examples=["anthropic"])),
    "investigation": ("Identifier of an investigation, as its claim gives it.", text(1, NAME_CHARS, examples=["i2a"])),
    "recovery": ("Identifier of a recovery plan.", text(1, NAME_CHARS, examples=["r2a"])),
    "token": ("Fencing token of a claim.", text(1, NAME_CHARS)),
}
IN_QUERY: dict[str, tuple[str, dict[str, Any]]] = {
    "at_least": (
        "Position of the log that the view must have reached: waits up to 5 s, then 503.",
        {"type": "integer", "minimum": 0, "maximum": INT64},
    ),
    "limit": ("Items at most.", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}),
    "cursor": ("`next` of the page before.", text(1, 4000)),
    "after": ("Position of the log after which events are shown.", {"type": "integer", "minimum": 0, "maximum": INT64}),
    "label": (
        "Only those with this label: `name=value` or `name`; may be repeated.",
        {"type": "array", "items": text(1, 1129, pattern=PRINTABLE.replace("[^", "[^=:", 1).replace("+$", ".*$"))},
    ),
    "group": ("Only this group.", {"type": "integer", "minimum": -INT32 - 1, "maximum": INT32}),
    "wave": ("Only this wave, counted from 1.", {"type": "integer", "minimum": 1, "maximum": INT32}),
    "q": ("Only keys that contain this text.", text(1, 200)),
    "level": ("Only workers of this level.", word(*get_args(ids.Level))),
    "reason": ("Only those quarantined for this reason.", word(*get_args(ids.QuarantineReason))),
    "campaign": ("Only of this campaign.", text(1, 200)),
    "unit": ("Only of this unit.", text(1, 200)),
    "worker": ("Only of this worker.", text(1, 200)),
    "kind": (
        "Only events of this kind; may be repeated, or hold several with commas.",
        {"type": "array", "items": word(*sorted(KINDS))},
    ),
    "force": ("Whether it may be done again so soon.", {"type": "boolean", "default": False}),
    "from": ("Where a window begins; the creation if not said.", TEXT | {"format": "date-time"}),
    "to": ("Where a window ends; now if not said, or if it lies ahead.", TEXT | {"format": "date-time"}),
    "scope": ("Which metrics: those of the log, `fleet`, or of this process.", word("all", "fleet", "process")),
}
STATES: dict[str, tuple[str, ...]] = {
    "ListCampaigns": get_args(ids.CampaignState),
    "ListUnits": ids.UNIT_STATES,
    "ListInvestigations": get_args(ids.InvestigationState),
    "ListRecoveries": get_args(ids.RecoveryState),
}
"""What `state` may be, by operation."""
IN_HEADER: dict[str, tuple[str, dict[str, Any]]] = {
    "Idempotency-Key": (
        f"The same key and body get the first answer again, for {RETENTION // timedelta(hours=1)} h.",
        text(1, NAME_CHARS),
    ),
    "If-Match": (
        "The version of the view that the edit builds on.",
        TEXT | {"pattern": r'^(\*|(W/)?"?[0-9]{1,18}"?)$', "examples": ['"7"']},
    ),
    "traceparent": (
        "W3C trace context; its trace id becomes the `correlation_id` of every event, its span the parent of the attempts.",
        TEXT,
    ),
    "Last-Event-ID": ("Position after which the stream resumes.", TEXT | {"pattern": "^[0-9]{1,18}$"}),
}


def parameter(name: str, place: str, operation: str) -> dict[str, Any]:
    """Return the description of one parameter of *operation*."""
    table = {"path": IN_PATH, "query": IN_QUERY, "header": IN_HEADER}[place]
    what, schema = ("Only those in this state.", word(*STATES[operation])) if name == "state" else table[name]
    return {"name": name, "in": place, "required": place == "path", "description": what, "schema": schema}
