"""The actions of `muster top`; each returns the sentence to show."""

import re
from pathlib import Path

from service.client.api_types import ApiBulkRetry, ApiCampaign, ApiEngine, ApiRecovery, ApiUnit, ApiWorker
from service.client.http_client import ApiClient, decoded, path_of
from service.terminal.formatting import one_line, plural

BY = "muster top"
FILENAME = re.compile(r'filename="([A-Za-z0-9._-]+)"')
FENCEABLE_LEVELS = ("stale", "dead")


async def count_failed(service: ApiClient, campaign: str) -> int:
    """Return how many units a bulk retry would send back to work."""
    body = await service.post(path_of("campaigns", campaign, "retry-failed"), {"dry_run": True})
    return decoded(body, ApiBulkRetry).matched


async def retry_failed(service: ApiClient, campaign: str) -> str:
    """Send every quarantined unit back to work."""
    body = await service.post(path_of("campaigns", campaign, "retry-failed"), {"reason": BY})
    return f"{plural(decoded(body, ApiBulkRetry).cleared, 'unit')} of {one_line(campaign)} back to work"


async def retry_unit(service: ApiClient, campaign: str, key: str) -> str:
    """Send one unit back to work."""
    body = await service.post(path_of("campaigns", campaign, "units", key, "retry"), {"reason": BY})
    return f"unit {one_line(key)} is {decoded(body, ApiUnit).state}"


async def switch_campaign(service: ApiClient, campaign: ApiCampaign) -> str:
    """Pause a running campaign, or resume a paused one."""
    verb = "resume" if campaign.paused is not None else "pause"
    body = await service.post(path_of("campaigns", campaign.name, verb), {"reason": BY})
    return f"campaign {one_line(campaign.name)} is {decoded(body, ApiCampaign).state}"


async def reset_breaker(service: ApiClient, campaign: str) -> str:
    """Reset the count of failures to zero, which allows claims again."""
    await service.post(f"{path_of('campaigns', campaign)}/breaker/reset", {"reason": BY})
    return f"the breaker of {one_line(campaign)} is reset"


async def switch_engine(service: ApiClient, engine: ApiEngine) -> str:
    """Pause a running engine, or resume a paused one."""
    verb = "resume" if engine.paused is not None else "pause"
    body = await service.post(path_of("engine", verb), {"reason": BY})
    return f"the engine is {decoded(body, ApiEngine).state}"


def silent_workers(workers: list[ApiWorker]) -> list[ApiWorker]:
    """Return the workers without recent heartbeats that can still claim, or still hold claims."""
    return [worker for worker in workers if worker.level in FENCEABLE_LEVELS and worker.state in ("active", "draining")]


async def fence_workers(service: ApiClient, workers: list[ApiWorker]) -> str:
    """Fence *workers*, which revokes their claims."""
    for worker in workers:
        await service.post(path_of("workers", worker.worker, "fence"), {"reason": BY})
    return f"{plural(len(workers), 'worker')} fenced"


async def decide_recovery(service: ApiClient, plan: ApiRecovery, verb: str) -> str:
    """Apply or decline a recovery plan."""
    await service.post(path_of("recovery", plan.id, verb))
    return f"the recovery of {one_line(plan.campaign)} is {'applied' if verb == 'apply' else 'declined'}"


async def save_diagnostics(service: ApiClient, campaign: str, folder: Path) -> str:
    """Save the diagnostics of a campaign in *folder*."""
    answer = await service.order("POST", f"{path_of('campaigns', campaign)}/diagnostics", {"force": True})
    match = FILENAME.search(answer.headers.get("Content-Disposition", ""))
    file = folder / (match[1] if match else f"muster-{campaign}.json")
    file.write_bytes(answer.content)
    return f"saved {file}"
