"""What every command that asks a running service has in common: its options, its exit codes, its two ways to print."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from functools import wraps
from inspect import cleandoc
from typing import Any, TypeVar

import click
from msgspec import Struct

from service.cli.option import addressed
from service.client.errors import AwayError, RefusedError
from service.client.http_client import ApiClient, decoded
from service.terminal.formatting import line

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
ENDS = """\n
\b
Exit codes: 0 done, 1 refused by the service, 2 called wrongly,
3 the service cannot be reached or cannot answer now."""


class ExitCode(IntEnum):
    """What a script is told, beside 0 for what was done and 2 for what was called wrongly."""

    REFUSED = 1
    AWAY = 3
    NOT_ACHIEVED = 4
    INTERRUPTED = 130


class Remote(Struct, frozen=True):
    """The service that a command asks, and how it prints the answers."""

    service: ApiClient
    json: bool

    def print_answer(self, body: bytes, kind: type[T], show: Callable[[T], None]) -> None:
        """Print an answer: its body as it came with `--json`, else what *show* makes of it."""
        if self.json:
            click.echo(body)
        else:
            show(decoded(body, kind))


Command = Callable[..., Awaitable[None]]
"""Its first argument is the `Remote`, the others are its options."""


def remote(command: Command) -> Callable[..., None]:
    """Give *command* the options of a client, run it, and end with an exit code that scripts can trust."""

    @addressed
    @click.option("--json", "as_json", is_flag=True, help="Print the body of the API's answer as it is.")
    @wraps(command)
    def run(url: str, bearer: str | None, *, as_json: bool, **given: object) -> None:
        async def carry_out() -> None:
            async with ApiClient(url, bearer) as service:
                await command(Remote(service, as_json), **given)

        with exits():
            asyncio.run(carry_out())

    run.__doc__ = cleandoc(command.__doc__ or "") + ENDS
    return run


@contextmanager
def exits() -> Iterator[None]:
    """Turn what the service said, or did not say, into words on stderr and an exit code."""
    try:
        yield
    except RefusedError as error:
        click.echo(f"Error: {line(error.problem.explanation)}", err=True)
        sys.exit(ExitCode.REFUSED)
    except AwayError as error:
        click.echo(f"Error: {line(str(error))}", err=True)
        sys.exit(ExitCode.AWAY)
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)


def example(*words: str) -> Callable[[F], F]:
    """Add command lines to the help of a command."""

    def wrapped(command: F) -> F:
        text = "\n".join(f"  {word}" for word in words)
        command.__doc__ = f"{cleandoc(command.__doc__ or '')}\n\n\b\nExamples:\n{text}"
        return command

    return wrapped


def paged(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give *command* the options of a list."""
    limited = click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="How many at most.")
    return limited(click.option("--cursor", help="Go on after a page: its `next`.")(command))


def reasoned(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give *command* the option to say why."""
    return click.option("--reason", help="Why, for the log.")(command)


def hint(cursor: str | None) -> None:
    """Say how the list goes on."""
    if cursor is not None:
        click.echo(f"there are more: --cursor {cursor}", err=True)


def agreed(question: str, *, yes: bool) -> None:
    """Ask before something is lost, where somebody is there to answer; exit 1 without an agreement."""
    if not yes and sys.stdin.isatty():
        click.confirm(question, abort=True)
