"""Reads of the quarantine: units that failed for good, with cause and last screen."""

from msgspec import Struct

from projections.http.reads.query_runner import READS, QueryRunner
from projections.store import QUARANTINED
from service.bulk_retry import QuarantineFilter
from service.domain import ids
from service.domain.content.screen import plain
from service.domain.instant import Instant
from service.domain.rules.retry import matches


class QuarantinedUnit(Struct, kw_only=True):
    """A quarantined unit; *screen* is the text of its last screen without terminal escapes."""

    key: ids.UnitKey
    reason: ids.QuarantineReason
    attempts: int
    error: str | None
    worker: ids.WorkerId | None
    quarantined_at: Instant
    screen_id: str | None
    screen: str | None


async def quarantine(
    source: QueryRunner, campaign: ids.CampaignName, after: str, reason: str | None, limit: int, at_least: int | None = None
) -> list[QuarantinedUnit]:
    """Return the next quarantined units by key."""
    rows = await source.fetch(READS.quarantine, campaign, after, reason, limit, at_least=at_least)
    units = []
    for text, screen in rows:
        card = QUARANTINED.decode(text)
        units.append(
            QuarantinedUnit(
                key=card.key,
                reason=card.reason,
                attempts=card.attempts,
                error=card.error,
                worker=card.worker,
                quarantined_at=card.quarantined_at,
                screen_id=card.screen_id,
                screen=None if screen is None else plain(screen),
            )
        )
    return units


async def matching_keys(
    source: QueryRunner, campaign: ids.CampaignName, where: QuarantineFilter, after: ids.UnitKey | None, limit: int
) -> list[ids.UnitKey]:
    """Return up to *limit* quarantined keys that match *where*, in order, after key *after*."""
    keys: list[ids.UnitKey] = []
    last = after or ""
    while len(keys) < limit:
        rows = await source.fetch(READS.quarantined_errors, campaign, last, where.reason, limit)
        keys += [ids.UnitKey(row["key"]) for row in rows if glob_matches(where.error_glob, row["error"])]
        if len(rows) < limit:
            break
        last = rows[-1]["key"]
    return keys[:limit]


def glob_matches(glob: str | None, error: str | None) -> bool:
    """Tell whether *glob* matches the whole of *error* in any case; None matches everything."""
    return glob is None or matches(glob.lower(), (error or "").lower())
