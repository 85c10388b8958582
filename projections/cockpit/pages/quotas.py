"""The pages of quotas: their gates and policies, and forms for a policy and for a reading."""

from typing import Any

from msgspec.structs import replace

from projections.cockpit import policy_form, queries
from projections.cockpit.context import CockpitContext
from projections.cockpit.page import CockpitPage
from projections.cockpit.url import PageUrl
from projections.http.reads.query_runner import READS
from projections.http.reads.reader import quota_of
from projections.views.quota.view import QuotaView
from service.domain import commands as c
from service.domain import ids
from service.domain.events import QuotaPolicy
from service.domain.rejections import NotFound, Validation

QUOTAS, CAMPAIGNS = 50, 20
PERCENT, MAX_PERCENT = 100, 100_000
REASONS: dict[ids.GateReason, str] = {
    "rate_limit": "A worker was refused by the provider and parked its unit.",
    "utilization": "A reading says that the quota is used up.",
    "auth": "The provider refused the key: replace it and enter a reading; the gate does not open by itself.",
    "network": "The meter has not answered for half an hour: the next good reading opens the gate.",
}


async def quotas(context: CockpitContext, url: PageUrl) -> CockpitPage:
    """Return the page of all quotas."""
    page = await context.reader.list_quotas(url.query_value("after"), QUOTAS + 1, None)
    facts = {"quotas": page[:QUOTAS], "next": page[QUOTAS - 1].key if len(page) > QUOTAS else None, "reasons": REASONS}
    return CockpitPage(template="quotas.html", title="Quotas", pane="campaigns", facts=facts)


async def quota(context: CockpitContext, url: PageUrl) -> CockpitPage:
    """Return the page of one quota."""
    shown = await require_quota(context, url.quota)
    facts: dict[str, Any] = {
        "quota": shown,
        "why": REASONS.get(shown.reason) if shown.reason else None,
        "fields": list(policy_form.leaves(shown.policy)),
        "campaigns": await queries.campaigns_of_quota(context.reader, shown.key, CAMPAIGNS + 1),
        "most": CAMPAIGNS,
    }
    return CockpitPage(template="quota.html", title=f"{shown.key} · quota", pane="campaigns", facts=facts)


async def require_quota(context: CockpitContext, key: ids.QuotaKey) -> QuotaView:
    """Return a quota.

    Raises:
        NotFound: there is none of that key.

    """
    row = await context.reader.row(READS.quota, key)
    if row is None:
        raise NotFound(f"there is no quota {key!r}", field="quota", current=key)
    return quota_of(row)


def policy(form: dict[str, str], old: QuotaPolicy) -> QuotaPolicy:
    """Return the policy that a form asks for: absent fields keep their values, empty ones get the default.

    Raises:
        Validation: a value is out of range.

    """
    changes = {}
    for field in policy_form.leaves(old):
        name = f"policy.{field.name}"
        if name not in form:
            continue
        value = policy_form.submitted_value(field, form[name])
        if field.kind == "choice" and value not in field.choices:
            raise Validation(f"{field.name} is one of {', '.join(field.choices)}", field=field.name, allowed=list(field.choices))
        if field.kind == "number" and value is not None:
            require_within(field, value)
        changes[field.name] = getattr(QuotaPolicy(), field.name) if value is None else value
    return replace(old, **changes)


def require_within(field: policy_form.Field, value: float) -> None:
    """Refuse a number outside of the limits of its field.

    Raises:
        Validation: it is outside.

    """
    least, most = field.least or 0, field.most
    within = (value > least if field.above else value >= least) and (most is None or value <= most)
    if not within:
        raise Validation(f"{field.name} lies {'above' if field.above else 'from'} {least:g} and up to {most:g}", field=field.name)


def reading(form: dict[str, str], key: ids.QuotaKey) -> c.RecordReading:
    """Return the reading that was typed into a form.

    Raises:
        Validation: it is not a percentage, or the reset is not a time.

    """
    try:
        used = float(form.get("used", "").strip().rstrip("%").strip())
    except ValueError:
        raise Validation("enter the used share in percent", field="used") from None
    if not 0 <= used <= MAX_PERCENT:
        raise Validation("the used share is a percentage, 0 or more", field="used")
    text = form.get("resets_at", "").strip()
    try:
        resets_at = policy_form.deadline(text)
    except Validation:
        raise Validation("the reset is a date with a time, as 2026-12-31T06:00", field="resets_at") from None
    return c.RecordReading(quota=key, utilization=used / PERCENT, resets_at=resets_at)
