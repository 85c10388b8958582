"""`make prove-numbers`: every fleet family on /metrics, over OTLP, from the API and by SQL; ends with 1 unless equal."""

import asyncio
import sys

import asyncpg
import click
import httpx

from ops.prove.source import Numbers, Receiver, counted, exported, proven, scraped, told
from ops.prove.term import Labels, Total
from service.cli.database import with_database
from service.settings import Settings

ATTEMPTS = 30
NONE = Total()


@click.command()
@click.option("--url", envvar="MUSTER_URL", default="http://127.0.0.1:8110", show_default=True, help="A running Muster.")
@with_database
def prove(settings: Settings, url: str) -> None:
    """Draw the table, and end with 1 when a number is not the same everywhere."""
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        position, sources = asyncio.run(gathered(settings.dsn, client))
    print(f"position {position:,}\n{'family':<46} {'/metrics':>10} {'OTLP':>10} {'API':>10} {'SQL':>10}  equal")
    wrong = [name for name in proven() if not line(name, sources)]
    print(f"\n{len(proven()) - len(wrong)} of {len(proven())} families are equal, series by series, sums to the microsecond.")
    print("A dash: the source does not tell. What lies between two events of one subject the API column folds from its own log.")
    sys.exit(1 if wrong else 0)


async def gathered(dsn: str, client: httpx.Client) -> tuple[int, list[Numbers]]:
    """Return what every source says at one position; the service may go on meanwhile, and then it is asked again."""
    receiver, connection = Receiver(), await asyncpg.connect(dsn)
    async with await receiver.start():
        try:
            for _ in range(ATTEMPTS):
                position, by_otlp = await exported(connection, receiver)
                shown, by_scrape = await asyncio.to_thread(scraped, client)
                by_api = await asyncio.to_thread(told, client, position)
                by_sql = await counted(connection, position)
                if position == shown == (await exported(connection, receiver))[0]:
                    return position, [by_scrape, by_otlp, by_api, by_sql]
        finally:
            await connection.close()
    raise click.ClickException("the log never stood still long enough: let the workers rest")


def line(name: str, sources: list[Numbers]) -> bool:
    """Print one family, and tell whether all who know of it agree."""
    told_by = [source.get(name) for source in sources]
    known = [significant(series) for series in told_by if series is not None]
    equal = all(series == known[0] for series in known) and len(known) > 2
    shown = [f"{sum(one.count for one in series.values()):,}" if series is not None else "-" for series in told_by]
    print(f"{name:<46} {' '.join(f'{text:>10}' for text in shown)}  {'yes' if equal else 'NO'}")
    for labels in () if equal else sorted({labels for series in known for labels in series}):
        each = [series.get(labels, NONE) for series in known]
        if len(set(each)) > 1:
            print(f"    {labels}: {', '.join(f'{one.count} ({one.total})' for one in each)}")
    return equal


def significant(series: dict[Labels, Total]) -> dict[Labels, Total]:
    """Return the series that are not zero: some sources do not know what has never happened."""
    return {labels: total for labels, total in series.items() if total != NONE}


prove()
