"""What the Writer remembers against what the tables hold, whatever is ordered, refused, cut off or done by another Writer."""

import asyncio
import copy
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import asyncpg
import msgspec
import pytest
from typing_extensions import override

from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.domain.evolve import evolve
from service.domain.read_set import ReadSet
from service.domain.rejections import Validation
from service.domain.state import State
from service.settings import Settings
from service.store.log import event_log
from service.store.state import fanout, loader, row_cache
from service.writer import batch
from tests.integration.store import test_loader as drawn
from tests.refold import audit
from tests.replica import Replica, units

DAYS, DAY = 5, 25
EAST = timezone(timedelta(hours=2))
CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'one'"


class Twice(loader.Loader):
    """Loads what a batch needs, and once more without a cache: both are the same, and all that is remembered is true."""

    known = 0

    @override
    async def load(self, read_set: ReadSet) -> None:
        assert drawn.remembered(self.row_cache) == await drawn.stored(self.connection, self.row_cache)
        Twice.known += len(self.row_cache.units)
        afresh = loader.Loader(self.connection, self.shard, State(copy.copy(self.state.engine)), self.at)
        await afresh.load(read_set)
        await super().load(read_set)
        assert written(self.state) == written(afresh.state)


def written(value: Any) -> object:  # noqa: ANN401 - a state, a table, or a row
    """Return *value* as the log would have it: a time in another zone is another; parents stand in no order."""
    if isinstance(value, State):
        above = {child: sorted(parents) for child, parents in value.parents.items()}
        return written({name: table for name, table in vars(value).items() if name != "touched"} | {"parents": above})
    if isinstance(value, dict):
        return {key: written(row) for key, row in value.items() if row}
    return msgspec.json.decode(msgspec.json.encode(value, enc_hook=list))


class Restless(drawn.History):
    """Orders also what changes the fields that decisions seldom read."""

    @override
    def command(self, at: datetime) -> c.Command:
        return super().command(at) if self.luck.random() < 0.7 else self.luck.choice(list(self.words(at)))

    def words(self, at: datetime) -> Iterator[c.Command]:
        """Yield what may be said of a campaign, of a worker, with a heartbeat; one of these cannot be stored."""
        campaign, worker, number = self.luck.choice(drawn.CAMPAIGNS), self.luck.choice(drawn.WORKERS), self.luck.random()
        token = self.luck.choice([*self.state.claims, *self.tokens])
        later = at.astimezone(EAST) + timedelta(days=number + 1)
        yield from [c.ClaimWork(worker=worker, max=3, mode="manual")] * 4
        yield c.EditCampaign(name=campaign, patch={"labels": {"size": str(number)}, "brief": f"« {number} »", "title": None})
        yield c.EditCampaign(name=campaign, patch={"deadline": later})
        yield self.luck.choice([c.PauseCampaign(name=campaign, reason="lunch"), c.ResumeCampaign(name=campaign)])
        yield c.BeatWorker(worker=worker, labels={"size": str(number)}, version=str(number))
        yield c.RecordHeartbeat(token=token, progress=number / 3, note=f"{number}", output_at=later)
        yield c.RecordHeartbeat(token=token, alive=False, session=f"{number}", screen_id="5c")
        yield c.RecordHeartbeat(token=token, note="NUL \0")
        yield c.FanOutUnits(units=tuple(self.state.fanouts))
        yield self.luck.choice([c.PauseEngine(), *[c.ResumeEngine()] * 9])


@pytest.mark.parametrize(("seed", "most"), [(0, 20_000), (1, 6)], ids=["all", "few"])
async def test_the_row_cache_agrees_with_the_tables_after_any_command(
    settings: Settings, pool: asyncpg.Pool, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, seed: int, most: int
) -> None:
    """A5: two Writers, batches of several requests, repeated keys, refused values, lost connections, dependents in rounds."""
    monkeypatch.setattr(batch, "Loader", Twice)
    monkeypatch.setattr(row_cache, "MAX_ROWS", most)
    monkeypatch.setattr(fanout, "ROUND", 2)
    Twice.known, position, history = 0, 0, Restless(seed, State())
    luck = history.luck
    async with Replica(settings, "one") as one, Replica(settings, "two") as two:
        for number in range(DAYS * DAY):
            if number % DAY == 0:  # whoever is fenced or cancelled stays so: others come
                monkeypatch.setattr(drawn, "WORKERS", [ids.WorkerId(f"w{number}-{n}") for n in range(3)])
                monkeypatch.setattr(drawn, "CAMPAIGNS", [ids.CampaignName(f"c{number}-{n}") for n in range(3)])
                for name in drawn.CAMPAIGNS:
                    await one.campaign(name, units(*drawn.KEYS[:6]), concurrency=5, groups="none")
            asked = [history.commands(datetime.now(UTC)) for _ in range(luck.choice((1, 1, 4)))]
            keys: list[dict[str, Any]] = [{"key": str(luck.randrange(50))} if luck.random() < 0.2 else {} for _ in asked]
            to = luck.choices((one, two), (5, 1), k=len(asked))
            requests = [who.submit(*what, **key) for who, what, key in zip(to, asked, keys, strict=True)]
            cuts = [owner.execute(CUT)] if luck.random() < 0.05 else []
            for answer in await asyncio.gather(*requests, *cuts, return_exceptions=True):
                assert not isinstance(answer, Exception) or isinstance(answer, Validation), answer
            async for page in event_log.pages(owner, 0, position, await event_log.head(owner), 1000):
                for event in page:
                    evolve(history.state, event)
                    history.tokens += [event.body.token] if isinstance(event.body, e.UnitClaimed) else []
                position = page[-1].position
    assert Twice.known > 20, "little was remembered"
    await audit(pool)
