"""Claims units whenever the worker has a free slot."""

import asyncio
import time
import uuid

from service.client.claim_types import ClaimAnswer, ClaimRequest
from service.client.errors import AwayError, RefusedError
from service.worker.backoff import Backoff
from service.worker.console import Console
from service.worker.options import WorkerExitCode, WorkOptions
from service.worker.service_client import WorkerClient
from service.worker.unit_runner import UnitRunner

MAX_CLAIMS = 1000
"""The most that the API grants in one request."""
PAUSE_S = 0.5
"""Time between two requests when the service answers at once that it has no unit."""
DRAINED_WAIT_S = 1.0
"""With `--until-drained`, how long one request may wait: the end of the campaign is only looked for between requests."""


class Claimer:
    """Claims units until it is stopped or refused, or no unit is left."""

    def __init__(self, options: WorkOptions, service: WorkerClient, runner: UnitRunner, console: Console) -> None:
        self._options = options
        self._service = service
        self._runner = runner
        self._console = console
        self._backoff = Backoff()
        self._stopped = asyncio.Event()
        self.worker_registered = asyncio.Event()
        self._wait_s = min(options.wait_s, DRAINED_WAIT_S) if options.until_drained else options.wait_s
        self.exit = WorkerExitCode.DONE

    @property
    def stopping(self) -> bool:
        """Say whether no more units are claimed."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Claim no more units."""
        self._stopped.set()
        # Both events are awaited by `run` and `_free_slots`, which then see that the claimer has stopped.
        self.worker_registered.set()
        self._runner.slot_freed.set()

    async def run(self) -> None:
        """Claim units for as long as there is a reason to, once the service knows this worker."""
        await self.worker_registered.wait()
        try:
            while slots := await self._free_slots():
                await self._claim_once(slots)
        except RefusedError as refusal:
            self._console.trouble(f"refused: {refusal}")
            self.exit = WorkerExitCode.REFUSED
        finally:
            self.stop()

    async def _claim_once(self, slots: int) -> None:
        """Send one request for units and start the ones that were granted."""
        requested_at = time.monotonic()
        answer = await self._request(min(slots, MAX_CLAIMS))
        for claim in answer.claims:
            (self._runner.hand_back if self.stopping else self._runner.start)(claim)
        if answer.claims:
            return
        if answer.dismissed:
            self._console.step("the service gives this worker nothing more")
            self.stop()
        elif self._options.until_drained and await self._drained(answer.position):
            self.stop()
        elif time.monotonic() - requested_at < PAUSE_S:
            await self._pause(PAUSE_S)

    async def _free_slots(self) -> int:
        """Wait for a free slot; return the number of free slots, zero once stopped."""
        while not self.stopping and self._runner.free_slots == 0:
            self._runner.slot_freed.clear()
            await self._runner.slot_freed.wait()
        return 0 if self.stopping else self._runner.free_slots

    async def _request(self, slots: int) -> ClaimAnswer:
        """Repeat one request until it is answered. Under one key, a repetition brings the claims of a lost answer."""
        request = ClaimRequest(self._options.worker, self._options.campaigns, slots, self._options.labels, self._wait_s)
        key = uuid.uuid4().hex
        while not self.stopping:
            try:
                answer = await self._service.claim(request, key)
            except AwayError as away:
                self._console.away(str(away))
                await self._pause(self._backoff.next_s(away.retry_after_s))
            else:
                self._backoff.reset()
                return answer
        return ClaimAnswer()

    async def _drained(self, position: int) -> bool:
        """Say whether every campaign has ended; keep in the exit code whether one was not achieved."""
        try:
            campaigns = [await self._service.campaign(name, position) for name in self._options.campaigns]
        except AwayError:
            return False
        if not all(campaign.over for campaign in campaigns):
            return False
        if any(campaign.outcome != "achieved" for campaign in campaigns):
            self.exit = WorkerExitCode.CAMPAIGN_FAILED
        return True

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopped.wait()
        except TimeoutError:
            return
