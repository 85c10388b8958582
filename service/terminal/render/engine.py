"""How the engine and the quotas are shown."""

from collections.abc import Iterator

import msgspec

from service.client.api_types import ApiEngine, ApiQuota
from service.terminal.formatting import NOTHING, bar, one_line, percent, time_text
from service.terminal.render.table import Column

BAR_CELLS = 20


QUOTAS = (
    Column[ApiQuota]("quota", lambda quota: one_line(quota.key)),
    Column[ApiQuota]("gate", lambda quota: quota.gate),
    Column[ApiQuota]("reason", lambda quota: quota.reason or NOTHING),
    Column[ApiQuota]("resumes", lambda quota: time_text(quota.resume_at)),
    Column[ApiQuota]("used", lambda quota: percent(quota.utilization), right=True),
    Column[ApiQuota]("resets", lambda quota: time_text(quota.resets_at)),
    Column[ApiQuota]("fire", lambda quota: str(quota.policy.get("fire", NOTHING))),
)


def details(engine: ApiEngine) -> Iterator[tuple[str, str]]:
    """Yield every detail of the engine except its quotas."""
    pool, paused = engine.pool, engine.paused
    yield "engine", engine.state
    if paused is not None:
        yield "paused", f"since {time_text(paused.since)} by {one_line(paused.by)}: {one_line(paused.reason)}"
    yield "pool", f"{bar(pool.in_use / pool.size if pool.size else 0, BAR_CELLS)} {pool.in_use:,} of {pool.size:,} slots in use"
    yield "advice", f"{pool.advice:,} slots to begin with on this machine, then by saturation" if pool.advice else ""
    yield "leader", one_line(engine.leader)
    yield "log", f"{engine.position:,} events"


def quota_details(quota: ApiQuota) -> Iterator[tuple[str, str]]:
    """Yield every detail of a quota."""
    yield "quota", one_line(quota.key)
    yield "gate", quota.gate
    yield "reason", quota.reason or ""
    yield "resumes", time_text(quota.resume_at)
    yield "used", percent(quota.utilization)
    yield "resets", time_text(quota.resets_at)
    yield "meter", {None: "", True: "answers", False: f"fails: {quota.last_failure_kind}"}[quota.last_poll_ok]
    yield "failures", str(quota.consecutive_failures) if quota.consecutive_failures else ""
    yield "policy", one_line(msgspec.json.encode(quota.policy).decode()) if quota.policy else ""
