"""What a viewer orders; each answers with the sentence to show."""

import re
from pathlib import Path

from service.client.api_types import ApiBulkRetry, ApiCampaign, ApiEngine, ApiRecovery, ApiUnit, ApiWorker
from service.client.http_client import ApiClient, decoded, path_of
from service.terminal.formatting import line, some

BY = "muster top"
FILE = re.compile(r'filename="([A-Za-z0-9._-]+)"')
SILENT = ("stale", "dead")


async def count_failed(service: ApiClient, campaign: str) -> int:
    """Return how many units a bulk retry would send back to work."""
    body = await service.post(path_of("campaigns", campaign, "retry-failed"), {"dry_run": True})
    return decoded(body, ApiBulkRetry).matched


async def retry_failed(service: ApiClient, campaign: str) -> str:
    """Send everything in quarantine back to work."""
    body = await service.post(path_of("campaigns", campaign, "retry-failed"), {"reason": BY})
    return f"{some(decoded(body, ApiBulkRetry).cleared, 'unit')} of {line(campaign)} back to work"


async def retry_unit(service: ApiClient, campaign: str, key: str) -> str:
    """Send one unit back to work."""
    body = await service.post(path_of("campaigns", campaign, "units", key, "retry"), {"reason": BY})
    return f"unit {line(key)} is {decoded(body, ApiUnit).state}"


async def switch_campaign(service: ApiClient, campaign: ApiCampaign) -> str:
    """Pause a campaign that runs, resume one that is paused."""
    verb = "resume" if campaign.paused is not None else "pause"
    body = await service.post(path_of("campaigns", campaign.name, verb), {"reason": BY})
    return f"campaign {line(campaign.name)} is {decoded(body, ApiCampaign).state}"


async def reset_breaker(service: ApiClient, campaign: str) -> str:
    """Count failures from zero and let claims through again."""
    await service.post(f"{path_of('campaigns', campaign)}/breaker/reset", {"reason": BY})
    return f"the breaker of {line(campaign)} is reset"


async def switch_engine(service: ApiClient, engine: ApiEngine) -> str:
    """Pause the engine when it runs, resume it when it is paused."""
    verb = "resume" if engine.paused is not None else "pause"
    body = await service.post(path_of("engine", verb), {"reason": BY})
    return f"the engine is {decoded(body, ApiEngine).state}"


def stale(workers: list[ApiWorker]) -> list[ApiWorker]:
    """Return the workers that have fallen silent and still may claim or hold something."""
    return [worker for worker in workers if worker.level in SILENT and worker.state in ("active", "draining")]


async def fence(service: ApiClient, workers: list[ApiWorker]) -> str:
    """Take their units from *workers*."""
    for worker in workers:
        await service.post(path_of("workers", worker.worker, "fence"), {"reason": BY})
    return f"{some(len(workers), 'worker')} fenced"


async def decide(service: ApiClient, plan: ApiRecovery, verb: str) -> str:
    """Apply or decline a recovery plan."""
    await service.post(path_of("recovery", plan.id, verb))
    return f"the recovery of {line(plan.campaign)} is {'applied' if verb == 'apply' else 'declined'}"


async def diagnose(service: ApiClient, campaign: str, folder: Path) -> str:
    """Save the diagnostics of a campaign."""
    answer = await service.order("POST", f"{path_of('campaigns', campaign)}/diagnostics", {"force": True})
    match = FILE.search(answer.headers.get("Content-Disposition", ""))
    file = folder / (match[1] if match else f"muster-{campaign}.json")
    file.write_bytes(answer.content)
    return f"saved {file}"
