"""The database that a command works on: the one of `--dsn`, or the embedded one of `--data`."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec

import asyncpg
import click

from service.embedded import attached
from service.logs import configure
from service.settings import SettingRefused, Settings, masked
from service.store.db.pool import LOST
from service.store.db.schema import DatabaseAway, require_head

P = ParamSpec("P")
LOGIN_REFUSED = (asyncpg.InvalidCatalogNameError, asyncpg.InvalidAuthorizationSpecificationError)


def with_database(command: Callable[Concatenate[Settings, P], None]) -> Callable[..., None]:
    """Give *command* the options `--dsn` and `--data`, and settings for a database that has the schema of this Muster."""

    @wraps(command)
    def checked(settings: Settings, /, *args: P.args, **kwargs: P.kwargs) -> None:
        with answering(settings.dsn):
            asyncio.run(require_head(settings.dsn, patience_s=0))
        command(settings, *args, **kwargs)

    return with_address(checked)


def with_address(command: Callable[Concatenate[Settings, P], None]) -> Callable[..., None]:
    """Give *command* the options `--dsn` and `--data`, and settings for a database whose schema is not checked."""

    @click.option("--dsn", metavar="DSN", help="Postgres 15 or newer; MUSTER_DSN.")
    @click.option("--data", metavar="DIR", help="Folder of `muster up`, running or not.  [default: .muster]")
    @wraps(command)
    def opened(dsn: str | None, data: str | None, *args: P.args, **kwargs: P.kwargs) -> None:
        with database(dsn, data) as settings:
            command(settings, *args, **kwargs)

    return opened


@contextmanager
def answering(dsn: str) -> Iterator[None]:
    """Turn an error of connecting to *dsn* into an error of one line.

    Raises:
        DatabaseAway: no server answers.
        SettingRefused: the server has no such database or user, or refuses the password.

    """
    try:
        yield
    except LOGIN_REFUSED as error:
        raise SettingRefused("dsn", masked(dsn), f"a database and a user that are there ({error})") from error
    except LOST as error:
        raise DatabaseAway(f"{masked(dsn)} does not answer: {error}") from error


@contextmanager
def database(dsn: str | None, data: str | None) -> Iterator[Settings]:
    """Yield settings with the address of the chosen database; `--data` wins over `MUSTER_DSN`.

    Raises:
        ClickException: the folder holds no embedded database.

    """
    settings = Settings.read(os.environ, dsn="" if data and not dsn else dsn, data_dir=data)
    configure(settings)
    if settings.dsn:
        yield settings
        return
    folder = Path(settings.data_dir)
    if not (folder / "postgres").is_dir():
        raise click.ClickException(f"{folder} holds no Muster: name it with --data or --dsn, or start `muster up`")
    with attached(folder) as address:
        yield settings.with_dsn(address)
