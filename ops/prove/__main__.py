"""`make prove-numbers`: every fleet family on /metrics, over OTLP, from the API and by SQL; ends with 1 unless equal."""

import asyncio
import sys

import asyncpg
import click
import httpx

from ops.prove.api import numbers_from_api
from ops.prove.formula import Labels, Total
from ops.prove.numbers import Numbers, without
from ops.prove.source import UNPROVEN, Receiver, exported, proven, scraped
from ops.prove.tables import counted, hidden
from projections.measures.catalogue import CATALOGUE
from service.cli.server.database import with_database
from service.settings import Settings

ATTEMPTS = 30
LEAST = 3
NONE = Total()


@click.command()
@click.option("--url", envvar="MUSTER_URL", default="http://127.0.0.1:8110", show_default=True, help="A running Muster.")
@with_database
def prove(settings: Settings, url: str) -> None:
    """Draw the table, and end with 1 when a number is not the same everywhere."""
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        try:
            position, sources = asyncio.run(gathered(settings.dsn, client))
        except httpx.TransportError as error:
            raise click.ClickException(f"no Muster at {url} ({error}); start one with `make up`") from error
    print(f"position {position:,}\n{'family':<52} {'/metrics':>11} {'OTLP':>11} {'API':>11} {'SQL':>11}  equal")
    wrong = [name for name in proven() if not line(name, sources)]
    print(f"\n{len(proven()) - len(wrong)} of {len(proven())} families are equal, series by series, sums to the microsecond.")
    print("A dash: the API does not tell. What lies between two events of one subject it is folded for from its own log.")
    for name, reason in UNPROVEN.items():
        print(f"Not compared: {name} {reason}.")
    sys.exit(1 if wrong else 0)


async def gathered(dsn: str, client: httpx.Client) -> tuple[int, list[Numbers]]:
    """Return what every source says at one position; the service may go on meanwhile, and then it is asked again."""
    receiver, connection = Receiver(), await asyncpg.connect(dsn)
    async with await receiver.start():
        try:
            for _ in range(ATTEMPTS):
                position, by_otlp = await exported(connection, receiver)
                shown, by_scrape = await asyncio.to_thread(scraped, client)
                by_api = await asyncio.to_thread(numbers_from_api, client, position)
                by_sql = await counted(connection, position)
                if position == shown == (await exported(connection, receiver))[0]:
                    unseen = await hidden(connection, by_scrape, by_sql)
                    return position, [by_scrape, by_otlp, without(by_api, unseen), without(by_sql, unseen)]
        finally:
            await connection.close()
    raise click.ClickException("the log never stood still long enough: let the workers rest")


def line(name: str, sources: list[Numbers]) -> bool:
    """Print one family, and tell whether all who know of it agree."""
    scrape, otlp, *others = sources
    told_by = [scrape.get(name, {}), otlp.get(name, {}), *(source.get(name) for source in others)]
    known = [significant(series) for series in told_by if series is not None]
    equal = all(series == known[0] for series in known) and len(known) >= LEAST
    shown = ["-" if series is None else summed(name, significant(series)) for series in told_by]
    print(f"{name:<52} {' '.join(f'{text:>11}' for text in shown)}  {'yes' if equal else 'NO'}")
    for labels in () if equal else sorted({labels for series in known for labels in series}):
        each = [series.get(labels, NONE) for series in known]
        if len(set(each)) > 1:
            print(f"    {labels}: {', '.join(f'{one.count} ({one.total})' for one in each)}")
    return equal


def summed(name: str, series: dict[Labels, Total]) -> str:
    """Return what stands in the table: counts together; of times and ratios, which nobody adds up, how many there are."""
    if CATALOGUE[name].kind == "gauge" and CATALOGUE[name].unit:
        return f"{len(series):,} values"
    return f"{sum(one.count for one in series.values()):,}"


def significant(series: dict[Labels, Total]) -> dict[Labels, Total]:
    """Return the series that are not zero: some sources do not know what has never happened."""
    return {labels: total for labels, total in series.items() if total != NONE}


prove()
