"""A grant that was stored but not answered: a repeated request under the same key gets it."""

import asyncio
import signal
from contextlib import ExitStack

import asyncpg
import httpx
from typing_extensions import override

from tests.faults.proxy import COMMIT, Fault, Line
from tests.replica import eventually
from tests.service import Program, free_port

CLAIM = {"worker": "w", "campaigns": ["n"], "wait_s": 60}
KEY = {"Idempotency-Key": "one wish"}


class Last(Line):
    """A line that falls silent at a fault; it counts the commits that it carried."""

    commits = 0

    @override
    def _due(self, said: bytes) -> Fault | None:
        fault = super()._due(said)
        self.commits += said.endswith(COMMIT)
        self.deaf = self.deaf or fault is not None
        return fault


async def post(url: str, path: str, body: object, **headers: str) -> httpx.Response:
    """Ask for something."""
    async with httpx.AsyncClient(base_url=url, timeout=90, trust_env=False) as client:
        return await client.post(path, json=body, headers=headers)


async def test_a_grant_whose_replica_died_before_it_was_told_is_told_by_another(dsn: str, pool: asyncpg.Pool) -> None:
    """A4, B-CLAIM-1, B-CLAIM-9: the long poll was asked under a key, and waited before it was given something."""
    async with Last(dsn) as line:
        with ExitStack() as stack:
            dying, other = (
                stack.enter_context(Program("serve", "--dsn", road, "--port", str(free_port()))) for road in (line.dsn, dsn)
            )
            urls = [await asyncio.to_thread(program.url) for program in (dying, other)]
            created = await post(urls[1], "/v1/campaigns", {"name": "n"})
            assert created.status_code == 201
            asking = asyncio.create_task(post(urls[0], "/v1/claims", CLAIM, **KEY))
            looks = line.commits

            async def looked() -> bool:
                return line.commits > looks + 1

            await eventually(looked)
            line.deaf = True
            added = await post(urls[1], "/v1/campaigns/n/units", [{"key": "a"}])
            assert added.json()["added"] == 1
            line.faults.append("after_commit")
            line.deaf = False

            async def granted() -> bool:
                return bool(await pool.fetchval("SELECT count(*) FROM claims"))

            await eventually(granted)
            assert not asking.done()
            await asyncio.to_thread(dying.stop, signal.SIGKILL)
            [lost] = await asyncio.gather(asking, return_exceptions=True)
            assert isinstance(lost, httpx.TransportError)
            again = await post(urls[1], "/v1/claims", CLAIM, **KEY)
    assert again.headers["idempotency-replayed"] == "true"
    [claim] = again.json()["claims"]
    assert claim["token"] == await pool.fetchval("SELECT token FROM claims")
    assert line.reached["after_commit"] == 1
