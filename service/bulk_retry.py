"""The bulk retry: every quarantined unit of a campaign that matches a filter is cleared, in chunks, under one bulk id."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from service.domain import ids
from service.domain.commands import ClearQuarantine, ClearReply
from service.submission import Origin, WriterPort

CHUNK = 1000
"""Units that one transaction clears: few enough that other submissions wait for milliseconds only."""


class QuarantineFilter(Protocol):
    """Which quarantined units a bulk retry matches; None matches everything."""

    @property
    def reason(self) -> ids.QuarantineReason | None:
        """The quarantine reason."""

    @property
    def error_glob(self) -> str | None:
        """A glob on the whole error message, in which `*` and `?` match; upper and lower case are the same."""


class QuarantinePort(Protocol):
    """The quarantined units of a campaign, as the views know them."""

    async def keys(
        self, campaign: ids.CampaignName, where: QuarantineFilter, after: ids.UnitKey | None, limit: int
    ) -> Sequence[ids.UnitKey]:
        """Return up to *limit* keys that match *where*, in order, after key *after*."""


class BulkRetryCount(Struct):
    """How many units matched, how many became ready again, and the position of the last event."""

    matched: int
    cleared: int
    position: int


async def matching_chunks(
    quarantine: QuarantinePort, campaign: ids.CampaignName, where: QuarantineFilter
) -> AsyncIterator[tuple[ids.UnitKey, ...]]:
    """Yield the keys that match, a chunk at a time."""
    after = None
    while keys := tuple(await quarantine.keys(campaign, where, after, CHUNK)):
        yield keys
        after = keys[-1]


async def clear_matching(
    writer: WriterPort, quarantine: QuarantinePort, first: ClearQuarantine, where: QuarantineFilter, origin: Origin, position: int
) -> BulkRetryCount:
    """Clear the units that match after *first*, which names no unit and reloads the brief, is stored at *position*."""
    result = BulkRetryCount(0, 0, position)
    async for keys in matching_chunks(quarantine, first.campaign, where):
        answer = await writer.submit((replace(first, keys=keys, brief=None),), origin)
        reply: ClearReply = answer.only()
        result = BulkRetryCount(result.matched + len(keys), result.cleared + reply.cleared, answer.position)
    return result
