"""What a person may order on a page: each form of the cockpit becomes commands for the one Writer, and a sentence about them."""

from collections.abc import Awaitable, Callable
from typing import Any, get_args
from uuid import uuid4

import msgspec
from msgspec import Struct

from projections.cockpit import policy_form
from projections.cockpit.context import CockpitContext
from projections.cockpit.pages import campaign as campaign_page
from projections.cockpit.pages import quotas
from projections.cockpit.pages.campaign import FailureFilter
from projections.cockpit.session import Flash
from projections.cockpit.text.formatting import count, plain
from projections.cockpit.url import PageUrl
from service.bulk_retry import clear_matching
from service.domain import commands as c
from service.domain import ids
from service.domain.content.json_limits import Misfit, require_fit, require_sound
from service.domain.content.redact import error_text
from service.domain.rejections import Validation
from service.submission import LOCAL_ADMIN, in_new_trace

WORKERS = 1000
LONGEST_REASON = 1000
MOST_SLOTS = 1_000_000
Form = dict[str, str]
Action = Callable[[CockpitContext, PageUrl, Form], Awaitable[Flash]]


class ActionResult(Struct, frozen=True):
    """What became of commands: the reply of the first, and the position that shows them."""

    reply: Any
    position: int


async def submit_all(context: CockpitContext, *commands: c.Command) -> ActionResult:
    """Have commands decided; the refusal of the first is raised."""
    answer = await context.orders.submit(commands, in_new_trace(LOCAL_ADMIN))
    return ActionResult(answer.only(), answer.position)


def reason(form: Form) -> str | None:
    """Return why, if it was said."""
    return form.get("reason", "").strip()[:LONGEST_REASON] or None


def numbered(number: int, noun: str) -> str:
    """Return a number of things and what they are now.

    >>> numbered(1, "unit"), numbered(2, "unit")
    ('1 unit is', '2 units are')
    """
    return f"{count(number)} {noun} is" if number == 1 else f"{count(number)} {noun}s are"


def switch(command: type[c.PauseCampaign | c.ResumeCampaign | c.CancelCampaign | c.ResetBreaker], words: str) -> Action:
    """Return the order that turns a switch of a campaign."""

    async def turn(context: CockpitContext, url: PageUrl, form: Form) -> Flash:
        given = await submit_all(context, command(name=url.campaign, reason=reason(form)))
        return Flash(f"{url.campaign}: {words}", position=given.position)

    return turn


async def edit_campaign(context: CockpitContext, url: PageUrl, form: Form) -> Flash:
    """Change the fields of the form, at the version that it was made for."""
    shown = await campaign_page.require_campaign(context, url.campaign)
    version = form.get("version", "")
    command = c.EditCampaign(
        name=url.campaign,
        patch=policy_form.patch(form, shown.view.policy),
        if_match=int(version) if version.isdecimal() and version.isascii() and len(version) < 18 else None,  # noqa: PLR2004
    )
    given = await submit_all(context, command)
    return Flash(f"{url.campaign}: changed", position=given.position)


async def retry_failed(context: CockpitContext, url: PageUrl, form: Form) -> Flash:
    """Send every quarantined unit that matches back to work, a chunk a transaction under one bulk id."""
    why: Any = form.get("match_reason") or None
    if why is not None and why not in get_args(ids.QuarantineReason):
        raise Validation("there is no such reason of a quarantine", field="match_reason")
    where, bulk_id = FailureFilter(why, form.get("error_glob") or None), uuid4().hex
    first = c.ClearQuarantine(
        campaign=url.campaign, keys=(), bulk_id=bulk_id, brief=form.get("reload_brief") or None, reason=reason(form)
    )
    begun = await submit_all(context, first)
    origin = in_new_trace(LOCAL_ADMIN)
    done = await clear_matching(context.orders, context.reader, first, where, origin, begun.position)
    return Flash(f"{url.campaign}: {numbered(done.cleared, 'unit')} back at work", position=done.position)


def unit_order(command: type[c.UnitCommand], words: str) -> Action:
    """Return an order about one unit."""

    async def order(context: CockpitContext, url: PageUrl, form: Form) -> Flash:
        given = await submit_all(context, command(campaign=url.campaign, key=url.unit, reason=reason(form)))
        return Flash(f"{plain(url.unit, 80)}: {words}", position=given.position)

    return order


def worker_order(command: type[c.DrainWorker | c.FenceWorker], words: str) -> Action:
    """Return an order about one worker."""

    async def order(context: CockpitContext, url: PageUrl, form: Form) -> Flash:
        given = await submit_all(context, command(worker=url.worker, reason=reason(form)))
        return Flash(f"{plain(url.worker, 80)}: {words}", position=given.position)

    return order


async def fence_stale(context: CockpitContext, _: PageUrl, form: Form) -> Flash:
    """Fence every worker that is stale or dead."""
    fenced, position = 0, 0
    for level in ("stale", "dead"):
        found = await context.reader.workers("", level, None, WORKERS, None)
        chosen = [worker.worker for worker in found if worker.state != "fenced"]
        if chosen:
            given = await submit_all(context, *(c.FenceWorker(worker=worker, reason=reason(form)) for worker in chosen))
            fenced, position = fenced + len(chosen), given.position
    return Flash(f"{numbered(fenced, 'worker')} fenced" if fenced else "no worker is stale or dead", position=position)


def engine_order(command: type[c.PauseEngine | c.ResumeEngine], words: str) -> Action:
    """Return the order that turns the engine's switch."""

    async def order(context: CockpitContext, _: PageUrl, form: Form) -> Flash:
        given = await submit_all(context, command(reason=reason(form)))
        return Flash(f"the engine {words}", position=given.position)

    return order


async def tick(context: CockpitContext, _: PageUrl, __: Form) -> Flash:
    """Open every gate and sweep now."""
    given = await submit_all(context, c.TickEngine(force=True))
    return Flash("every gate is open, and a sweep was made", position=given.position)


async def resize(context: CockpitContext, _: PageUrl, form: Form) -> Flash:
    """Give the pool another size."""
    try:
        size = msgspec.convert(form.get("pool_size", "").strip(), int, strict=False)
    except msgspec.ValidationError:
        raise Validation("the pool's size is a whole number", field="pool_size") from None
    if not 0 <= size <= MOST_SLOTS:
        raise Validation(f"the pool has 0 to {count(MOST_SLOTS)} slots", field="pool_size")
    given = await submit_all(context, c.ResizePool(pool_size=size))
    return Flash(f"the pool has {count(size)} slots", position=given.position)


async def edit_quota(context: CockpitContext, url: PageUrl, form: Form) -> Flash:
    """Give a gate another policy."""
    shown = await quotas.require_quota(context, url.quota)
    given = await submit_all(context, c.EditQuota(quota=shown.key, policy=quotas.policy(form, shown.policy)))
    return Flash(f"{plain(shown.key, 80)}: changed", position=given.position)


async def read_quota(context: CockpitContext, url: PageUrl, form: Form) -> Flash:
    """Take a person's word for what a meter would say."""
    shown = await quotas.require_quota(context, url.quota)
    given = await submit_all(context, quotas.reading(form, shown.key))
    return Flash(f"{plain(shown.key, 80)}: the reading is taken", position=given.position)


def decision(command: type[c.RecoveryCommand], words: str) -> Action:
    """Return a decision on a recovery plan."""

    async def decide(context: CockpitContext, url: PageUrl, _: Form) -> Flash:
        given = await submit_all(context, command(id=url.recovery))
        return Flash(f"plan {url.recovery}: {words}", position=given.position)

    return decide


async def conclude(context: CockpitContext, url: PageUrl, form: Form) -> Flash:
    """Take a person's word for what came of an investigation: the cause, and a fix when its payload is given."""
    known = url.investigation
    cause, payload = form.get("root_cause", "").strip(), form.get("payload", "").strip()
    fix = c.Fix(None, document("payload", payload.encode())) if payload else None
    given = await submit_all(context, c.ConcludeInvestigation(id=known, fix=fix, root_cause=error_text(cause) or None))
    return Flash(f"investigation {known}: {'the fix is made' if fix else 'ended without a fix'}", position=given.position)


def document(field: str, typed: bytes) -> msgspec.Raw:
    """Return a JSON document that a person typed."""
    try:
        require_fit(field, typed)
        require_sound(typed, field)
        msgspec.json.decode(typed)
    except Misfit as misfit:
        raise Validation(f"{field} {misfit}", field=field) from None
    except Validation as unsound:
        raise Validation(unsound.detail, field=field) from None
    except msgspec.DecodeError:
        raise Validation(f"{field} must be JSON", field=field) from None
    return msgspec.Raw(typed)


UNIT = "/campaigns/{name:str}/units/{key:str}"
ACTIONS: dict[str, Action] = {
    "/campaigns/{name:str}/pause": switch(c.PauseCampaign, "paused, running work goes on"),
    "/campaigns/{name:str}/resume": switch(c.ResumeCampaign, "goes on"),
    "/campaigns/{name:str}/cancel": switch(c.CancelCampaign, "cancelled"),
    "/campaigns/{name:str}/breaker/reset": switch(c.ResetBreaker, "the breaker is reset, automatic claims go on"),
    "/campaigns/{name:str}/edit": edit_campaign,
    "/campaigns/{name:str}/retry-failed": retry_failed,
    f"{UNIT}/retry": unit_order(c.RetryUnit, "back at work"),
    f"{UNIT}/park": unit_order(c.ParkUnit, "parked for an hour"),
    f"{UNIT}/unpark": unit_order(c.UnparkUnit, "no longer parked"),
    f"{UNIT}/quarantine": unit_order(c.QuarantineUnit, "in quarantine"),
    f"{UNIT}/cancel": unit_order(c.CancelUnit, "cancelled"),
    f"{UNIT}/stop": unit_order(c.StopUnit, "taken back from its worker, nothing counted"),
    "/workers/fence-stale": fence_stale,
    "/workers/{worker:str}/drain": worker_order(c.DrainWorker, "drains: no new claims, running ones finish"),
    "/workers/{worker:str}/fence": worker_order(c.FenceWorker, "fenced: its claims were revoked"),
    "/engine/pause": engine_order(c.PauseEngine, "is paused, running work goes on"),
    "/engine/resume": engine_order(c.ResumeEngine, "goes on"),
    "/engine/tick": tick,
    "/engine/pool": resize,
    "/quotas/{quota:str}/policy": edit_quota,
    "/quotas/{quota:str}/reading": read_quota,
    "/investigations/{investigation:str}/result": conclude,
    "/recovery/{recovery:str}/apply": decision(c.ApplyRecovery, "applied, its units are ready again"),
    "/recovery/{recovery:str}/decline": decision(c.DeclineRecovery, "declined, the campaign is cancelled"),
}
BY_TEMPLATE = {path.replace(":str", ""): order for path, order in ACTIONS.items()}
"""The orders by the templates that a routed request names."""
