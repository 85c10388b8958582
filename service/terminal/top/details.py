"""What a viewer reads when something is opened."""

import msgspec

from service.client.api_types import ApiEngine, ApiEvent, ApiExplanation, ApiRecovery, ApiUnit, ApiWorker
from service.client.http_client import ApiClient, path_of
from service.terminal.formatting import line, lines, some
from service.terminal.render import engine as engine_face
from service.terminal.render import unit as unit_face
from service.terminal.render import worker as worker_face
from service.terminal.render.table import filled, table_lines

SETTLED = ("done", "running", "cancelled")
SCREEN_LINES = 200


def paragraphs(*parts: list[str]) -> str:
    """Return lines with a blank line between parts, without the parts that are empty."""
    return "\n\n".join("\n".join(part) for part in parts if part)


def pairs(given: list[tuple[str, str]]) -> list[str]:
    """Return names and values as lines."""
    return [f"{name}  {value}" for name, value in given]


async def unit(service: ApiClient, campaign: str, key: str) -> str:
    """Return the story of a unit: how it stands, what holds it back, what it has been through, its last screen."""
    path = path_of("campaigns", campaign, "units", key)
    found = await service.read(path, ApiUnit)
    ways: list[str] = []
    if found.state not in SETTLED:
        explained = await service.read(f"{path}/explain", ApiExplanation)
        ways = [f"in its way: {line(blocker.detail)}" for blocker in explained.blockers] or ["the next claim may take it"]
    screen = unit_face.screen(found.screen, SCREEN_LINES)
    return paragraphs(
        pairs(filled(unit_face.sheet(found))),
        ways,
        table_lines(unit_face.ATTEMPT, found.attempts),
        ["last screen:", *screen] if screen else [],
    )


def worker(found: ApiWorker) -> str:
    """Return how a worker stands and what it holds."""
    return paragraphs(pairs(filled(worker_face.sheet(found))), table_lines(worker_face.CLAIM, found.claims))


def event(found: ApiEvent) -> str:
    """Return everything that an event says."""
    return "\n".join(lines(msgspec.json.format(msgspec.json.encode(found), indent=2).decode()))


def engine(found: ApiEngine, plans: list[ApiRecovery], stream: str) -> str:
    """Return how the installation stands."""
    recoveries = [
        f"recovery of {line(plan.campaign)}: {some(len(plan.resumable), 'unit')} can be resumed, {plan.preserved:,} are kept (R)"
        for plan in plans
    ]
    return paragraphs(
        pairs(filled([*engine_face.sheet(found), ("stream", stream)])),
        table_lines(engine_face.QUOTAS, found.quotas) or ["no quotas"],
        recoveries or ["no recovery plans"],
    )
