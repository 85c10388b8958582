"""The claimant: asks for units whenever a hand is free."""

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

MOST = 1000
PAUSE_S = 0.5
DRAINED_S = 1.0


class Claimer:
    """Takes units until told to stop, refused, or nothing is left to take."""

    def __init__(self, options: WorkOptions, service: WorkerClient, runner: UnitRunner, console: Console) -> None:
        self._options = options
        self._service = service
        self._runner = runner
        self._console = console
        self._backoff = Backoff()
        self._stopped = asyncio.Event()
        self.introduced = asyncio.Event()
        self._wait_s = min(options.wait_s, DRAINED_S) if options.until_drained else options.wait_s
        self.exit = WorkerExitCode.DONE

    @property
    def stopping(self) -> bool:
        """Say whether no more units are taken."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Take no more units."""
        self._stopped.set()
        self.introduced.set()
        self._runner.freed.set()

    async def take(self) -> None:
        """Take units for as long as there is a reason to, once the service knows this worker."""
        await self.introduced.wait()
        try:
            while room := await self._room():
                await self._turn(room)
        except RefusedError as refusal:
            self._console.trouble(f"refused: {refusal}")
            self.exit = WorkerExitCode.REFUSED
        finally:
            self.stop()

    async def _turn(self, room: int) -> None:
        """Ask once, and begin what was given."""
        asked_at = time.monotonic()
        answer = await self._ask(min(room, MOST))
        for claim in answer.claims:
            (self._runner.hand_back if self.stopping else self._runner.begin)(claim)
        if answer.claims:
            return
        if answer.dismissed:
            self._console.step("the service gives this worker nothing more")
            self.stop()
        elif self._options.until_drained and await self._drained(answer.position):
            self.stop()
        elif time.monotonic() - asked_at < PAUSE_S:
            await self._pause(PAUSE_S)

    async def _room(self) -> int:
        """Wait for a free hand; return how many there are, none once stopped."""
        while not self.stopping and self._runner.free == 0:
            self._runner.freed.clear()
            await self._runner.freed.wait()
        return 0 if self.stopping else self._runner.free

    async def _ask(self, most: int) -> ClaimAnswer:
        """Ask until answered, in the same words, so that a lost answer is found again."""
        ask = ClaimRequest(self._options.worker, self._options.campaigns, most, self._options.labels, self._wait_s)
        key = uuid.uuid4().hex
        while not self.stopping:
            try:
                answer = await self._service.claim(ask, key)
            except AwayError as away:
                self._console.away(str(away))
                await self._pause(self._backoff.next_s(away.retry_after_s))
            else:
                self._backoff.reset()
                return answer
        return ClaimAnswer()

    async def _drained(self, position: int) -> bool:
        """Say whether every campaign has ended; remember if one did not succeed."""
        try:
            campaigns = [await self._service.campaign(name, position) for name in self._options.campaigns]
        except AwayError:
            return False
        if any(campaign.state not in {"completed", "cancelled"} for campaign in campaigns):
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
