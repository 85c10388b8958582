"""The texts that Enter opens, and the text of the engine pane."""

import msgspec

from service.client.api_types import ApiEngine, ApiEvent, ApiExplanation, ApiRecovery, ApiUnit, ApiWorker
from service.client.http_client import ApiClient, path_of
from service.terminal.formatting import one_line, plural, safe_lines
from service.terminal.render import engine as engine_render
from service.terminal.render import unit as unit_render
from service.terminal.render import worker as worker_render
from service.terminal.render.table import aligned_details, table_lines

NOT_WAITING = ("done", "running", "cancelled")
"""States in which no blocker needs explaining."""
SCREEN_LINES = 200


def paragraphs(*parts: list[str]) -> str:
    """Return the lines of *parts* with a blank line between parts, without empty parts."""
    return "\n\n".join("\n".join(part) for part in parts if part)


def detail_lines(details: list[tuple[str, str]]) -> list[str]:
    """Return names and values as lines."""
    return [f"{name}  {value}" for name, value in details]


async def unit(service: ApiClient, campaign: str, key: str) -> str:
    """Return the details of a unit, its blockers, its attempts and its last screen."""
    path = path_of("campaigns", campaign, "units", key)
    answer = await service.read(path, ApiUnit)
    blockers: list[str] = []
    if answer.state not in NOT_WAITING:
        explanation = await service.read(f"{path}/explain", ApiExplanation)
        blockers = [f"in its way: {one_line(blocker.detail)}" for blocker in explanation.blockers] or [
            "the next claim may take it"
        ]
    screen = unit_render.last_screen_lines(answer.screen, SCREEN_LINES)
    return paragraphs(
        detail_lines(aligned_details(unit_render.details(answer))),
        blockers,
        table_lines(unit_render.ATTEMPT, answer.history),
        ["last screen:", *screen] if screen else [],
    )


def worker(answer: ApiWorker) -> str:
    """Return the details of a worker and its claims."""
    return paragraphs(
        detail_lines(aligned_details(worker_render.details(answer))), table_lines(worker_render.CLAIM, answer.claims)
    )


def event(answer: ApiEvent) -> str:
    """Return an event as indented JSON."""
    return "\n".join(safe_lines(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode()))


def engine(answer: ApiEngine, plans: list[ApiRecovery], stream: str) -> str:
    """Return the details of the engine, its quotas and the open recovery plans."""
    recoveries = [
        f"recovery of {one_line(plan.campaign)}: {plural(len(plan.resumable), 'unit')} can be resumed, "
        f"{plan.preserved:,} are kept (R)"
        for plan in plans
    ]
    return paragraphs(
        detail_lines(aligned_details([*engine_render.details(answer), ("stream", stream)])),
        table_lines(engine_render.QUOTAS, answer.quotas) or ["no quotas"],
        recoveries or ["no recovery plans"],
    )
