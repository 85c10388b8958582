"""The past can be exported: a fold of the log says at any moment what a scrape said then."""

import subprocess
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from prometheus_client.openmetrics import parser

from projections.export import backfill, prometheus
from projections.export.snapshot import Snapshot, rows
from projections.measures.sample import FoldLag
from projections.projector import load, step
from projections.store import Session, live, load_cards, load_series
from service.store.log import event_log
from tests.histories import History
from tests.service import Program

openmetrics: Any = parser.text_string_to_metric_families


@pytest.fixture
async def scrapes(pool: asyncpg.Pool) -> AsyncIterator[list[Snapshot]]:
    """What scrapes read while the log grew, each after the last event of a moment."""
    found = []
    async with pool.acquire() as connection:
        fold = await load(connection, await live(connection, 0))
        events = History(11).grow(500).events
        due = 60
        for event, following in zip(events, [*events[1:], None], strict=True):
            await event_log.append(connection, [event])
            if event.position >= due and (following is None or following.at > event.at):
                due += 60
                while await step(connection, fold):
                    pass
                found.append(await scrape_at(connection, event.at))
        yield found


async def scrape_at(connection: Session, at: datetime) -> Snapshot:
    """Return what is stored as if it were read when the last event was written: the history has a clock of its own."""
    now = await live(connection, 0)
    depth = FoldLag(at=at, head=now.position, position=now.position, generation=1, oldest_at=None)
    return Snapshot.of(await load_cards(connection, now), await load_series(connection, now), depth)


def values(text: str) -> dict[tuple[object, ...], float]:
    """Return every sample by name and labels."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value for family in openmetrics(text) for sample in family.samples
    }


async def test_a_backfilled_value_is_the_one_that_was_scraped(scrapes: list[Snapshot], pool: asyncpg.Pool) -> None:
    assert len(scrapes) > 2
    async with pool.acquire() as connection:
        for scrape in scrapes:
            out = StringIO()
            await backfill.write(connection, out, scrape.lag.at, scrape.lag.at, timedelta(seconds=1))
            lines = prometheus.fleet((row for row in rows(scrape) if row.family.name not in backfill.UNKNOWN), openmetrics=True)
            assert values(out.getvalue()) == values("".join(lines) + "# EOF\n")


def test_promtool_makes_blocks_of_what_the_command_writes(scrapes: list[Snapshot], dsn: str, tmp_path: Path) -> None:
    first, last = scrapes[0].lag.at, scrapes[-1].lag.at
    output = tmp_path / "past.txt"
    words = ("--from", first.isoformat(), "--to", last.isoformat(), "--step", "1m", "--output", str(output))
    with Program("metrics", "backfill", "--dsn", dsn, *words) as program:
        assert "samples" in program.printed()
        assert program.process.returncode == 0
    assert output.read_text(encoding="utf-8").count("# TYPE") > 50
    blocks = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(output), str(tmp_path / "data")]
    done = subprocess.run(blocks, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list((tmp_path / "data").iterdir())


@pytest.mark.parametrize("words", [("--from", "yesterday"), ("--from", "2026-01-01", "--step", "0s"), ()])
def test_a_span_or_an_instant_that_is_none_is_refused(words: tuple[str, ...]) -> None:
    with Program("metrics", "backfill", *words) as program:
        assert "Error" in program.printed()
        assert program.process.returncode == 2
