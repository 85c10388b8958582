"""The actions of the cockpit: each form becomes commands for the Writer, and a sentence about what they did."""

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

MAX_WORKERS = 1000
MAX_REASON_CHARS = 1000
MAX_SLOTS = 1_000_000
Form = dict[str, str]
Action = Callable[[CockpitContext, PageUrl, Form], Awaitable[Flash]]


class ActionResult(Struct, frozen=True):
    """The reply to the first of some commands, and the position of their events."""

    reply: Any
    position: int


async def submit_all(context: CockpitContext, *commands: c.Command) -> ActionResult:
    """Submit commands in one transaction; raise the rejection of the first, if it has one."""
    answer = await context.writer.submit(commands, in_new_trace(LOCAL_ADMIN))
    return ActionResult(answer.only(), answer.position)


def reason(form: Form) -> str | None:
    """Return the reason that was typed, if any."""
    return form.get("reason", "").strip()[:MAX_REASON_CHARS] or None


def numbered(number: int, noun: str) -> str:
    """Return a number of things, ready to be followed by their new state.

    >>> numbered(1, "unit"), numbered(2, "unit")
    ('1 unit is', '2 units are')
    """
    return f"{count(number)} {noun} is" if number == 1 else f"{count(number)} {noun}s are"


def switch(command: type[c.PauseCampaign | c.ResumeCampaign | c.CancelCampaign | c.ResetBreaker], sentence: str) -> Action:
    """Return the action that turns a switch of a campaign."""

    async def turn(context: CockpitContext, url: PageUrl, form: Form) -> Flash:
        result = await submit_all(context, command(name=url.campaign, reason=reason(form)))
        return Flash(f"{url.campaign}: {sentence}", position=result.position)

    return turn


async def edit_campaign(context: CockpitContext, url: PageUrl, form: Form) -> Flash:
    """Change the fields of the form, if the campaign still has the version that the form was made for."""
    shown = await campaign_page.require_campaign(context, url.campaign)
    version = form.get("version", "")
    command = c.EditCampaign(
        name=url.campaign,
        patch=policy_form.patch(form, shown.view.policy),
        if_match=int(version) if version.isdecimal() and version.isascii() and len(version) < 18 else None,  # noqa: PLR2004
    )
    result = await submit_all(context, command)
    return Flash(f"{url.campaign}: changed", position=result.position)


async def retry_failed(context: CockpitContext, url: PageUrl, form: Form) -> Flash:
    """Retry every quarantined unit that matches, one chunk per transaction, all under one bulk id."""
    match_reason: Any = form.get("match_reason") or None
    if match_reason is not None and match_reason not in get_args(ids.QuarantineReason):
        raise Validation("there is no such reason for a quarantine", field="match_reason")
    where, bulk_id = FailureFilter(match_reason, form.get("error_glob") or None), uuid4().hex
    first = c.ClearQuarantine(
        campaign=url.campaign, keys=(), bulk_id=bulk_id, brief=form.get("reload_brief") or None, reason=reason(form)
    )
    begun = await submit_all(context, first)
    origin = in_new_trace(LOCAL_ADMIN)
    done = await clear_matching(context.writer, context.reader, first, where, origin, begun.position)
    return Flash(f"{url.campaign}: {numbered(done.cleared, 'unit')} back at work", position=done.position)


def unit_action(command: type[c.UnitCommand], sentence: str) -> Action:
    """Return an action on one unit."""

    async def act(context: CockpitContext, url: PageUrl, form: Form) -> Flash:
        result = await submit_all(context, command(campaign=url.campaign, key=url.unit, reason=reason(form)))
        return Flash(f"{plain(url.unit, 80)}: {sentence}", position=result.position)

    return act


def worker_action(command: type[c.DrainWorker | c.FenceWorker], sentence: str) -> Action:
    """Return an action on one worker."""

    async def act(context: CockpitContext, url: PageUrl, form: Form) -> Flash:
        result = await submit_all(context, command(worker=url.worker, reason=reason(form)))
        return Flash(f"{plain(url.worker, 80)}: {sentence}", position=result.position)

    return act


async def fence_stale(context: CockpitContext, _: PageUrl, form: Form) -> Flash:
    """Fence every worker that is stale or dead."""
    fenced, position = 0, 0
    for level in ("stale", "dead"):
        workers = await context.reader.workers("", level, None, MAX_WORKERS, None)
        unfenced = [worker.worker for worker in workers if worker.state != "fenced"]
        if unfenced:
            result = await submit_all(context, *(c.FenceWorker(worker=worker, reason=reason(form)) for worker in unfenced))
            fenced, position = fenced + len(unfenced), result.position
    return Flash(f"{numbered(fenced, 'worker')} fenced" if fenced else "no worker is stale or dead", position=position)


def engine_action(command: type[c.PauseEngine | c.ResumeEngine], sentence: str) -> Action:
    """Return the action that turns the engine's switch."""

    async def act(context: CockpitContext, _: PageUrl, form: Form) -> Flash:
        result = await submit_all(context, command(reason=reason(form)))
        return Flash(f"the engine {sentence}", position=result.position)

    return act


async def tick(context: CockpitContext, _: PageUrl, __: Form) -> Flash:
    """Open every gate, and sweep now."""
    result = await submit_all(context, c.TickEngine(force=True))
    return Flash("every gate is open, and a sweep was made", position=result.position)


async def resize(context: CockpitContext, _: PageUrl, form: Form) -> Flash:
    """Resize the pool."""
    try:
        size = msgspec.convert(form.get("pool_size", "").strip(), int, strict=False)
    except msgspec.ValidationError:
        raise Validation("the pool's size is a whole number", field="pool_size") from None
    if not 0 <= size <= MAX_SLOTS:
        raise Validation(f"the pool has 0 to {count(MAX_SLOTS)} slots", field="pool_size")
    result = await submit_all(context, c.ResizePool(pool_size=size))
    return Flash(f"the pool has {count(size)} slots", position=result.position)


async def edit_quota(context: CockpitContext, url: PageUrl, form: Form) -> Flash:
    """Change the policy of a gate."""
    shown = await quotas.require_quota(context, url.quota)
    result = await submit_all(context, c.EditQuota(quota=shown.key, policy=quotas.policy(form, shown.policy)))
    return Flash(f"{plain(shown.key, 80)}: changed", position=result.position)


async def read_quota(context: CockpitContext, url: PageUrl, form: Form) -> Flash:
    """Record a reading that a person types, as if the meter had sent it."""
    shown = await quotas.require_quota(context, url.quota)
    result = await submit_all(context, quotas.reading(form, shown.key))
    return Flash(f"{plain(shown.key, 80)}: the reading is taken", position=result.position)


def decision(command: type[c.RecoveryCommand], sentence: str) -> Action:
    """Return an action that decides on a recovery plan."""

    async def decide(context: CockpitContext, url: PageUrl, _: Form) -> Flash:
        result = await submit_all(context, command(id=url.recovery))
        return Flash(f"plan {url.recovery}: {sentence}", position=result.position)

    return decide


async def conclude(context: CockpitContext, url: PageUrl, form: Form) -> Flash:
    """End an investigation with the cause that a person types, and with a fix if they give its payload."""
    investigation = url.investigation
    cause, payload = form.get("root_cause", "").strip(), form.get("payload", "").strip()
    fix = c.Fix(None, document("payload", payload.encode())) if payload else None
    result = await submit_all(context, c.ConcludeInvestigation(id=investigation, fix=fix, root_cause=error_text(cause) or None))
    return Flash(
        f"investigation {investigation}: {'the fix is made' if fix else 'ended without a fix'}", position=result.position
    )


def document(field: str, typed: bytes) -> msgspec.Raw:
    """Return a JSON document that a person typed.

    Raises:
        Validation: it is too large, unsound or not JSON.

    """
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
    f"{UNIT}/retry": unit_action(c.RetryUnit, "back at work"),
    f"{UNIT}/park": unit_action(c.ParkUnit, "parked for an hour"),
    f"{UNIT}/unpark": unit_action(c.UnparkUnit, "no longer parked"),
    f"{UNIT}/quarantine": unit_action(c.QuarantineUnit, "in quarantine"),
    f"{UNIT}/cancel": unit_action(c.CancelUnit, "cancelled"),
    f"{UNIT}/stop": unit_action(c.StopUnit, "taken back from its worker, nothing counted"),
    "/workers/fence-stale": fence_stale,
    "/workers/{worker:str}/drain": worker_action(c.DrainWorker, "drains: no new claims, running ones finish"),
    "/workers/{worker:str}/fence": worker_action(c.FenceWorker, "fenced: its claims were revoked"),
    "/engine/pause": engine_action(c.PauseEngine, "is paused, running work goes on"),
    "/engine/resume": engine_action(c.ResumeEngine, "goes on"),
    "/engine/tick": tick,
    "/engine/pool": resize,
    "/quotas/{quota:str}/policy": edit_quota,
    "/quotas/{quota:str}/reading": read_quota,
    "/investigations/{investigation:str}/result": conclude,
    "/recovery/{recovery:str}/apply": decision(c.ApplyRecovery, "applied, its units are ready again"),
    "/recovery/{recovery:str}/decline": decision(c.DeclineRecovery, "declined, the campaign is cancelled"),
}
BY_TEMPLATE = {path.replace(":str", ""): action for path, action in ACTIONS.items()}
"""The actions by the path templates that a routed request names."""
