"""What every command that calls a running service has in common: its options, its exit codes, its two formats."""

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

from service.cli.option import with_service_address
from service.client.errors import AwayError, RefusedError
from service.client.http_client import ApiClient, decoded
from service.terminal.formatting import one_line

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
EXIT_CODE_HELP = """\n
\b
Exit codes: 0 done, 1 refused by the service, 2 called wrongly,
3 the service cannot be reached or cannot answer now."""


class ExitCode(IntEnum):
    """The exit codes that scripts may rely on, beside 0 for success and 2 for a wrong call."""

    REFUSED = 1
    AWAY = 3
    NOT_ACHIEVED = 4
    INTERRUPTED = 130


class Remote(Struct, frozen=True):
    """The service that a command calls, and the format in which it prints answers."""

    service: ApiClient
    json: bool

    def print_answer(self, body: bytes, kind: type[T], show: Callable[[T], None]) -> None:
        """Print an answer: with `--json` its body unchanged, else the text that *show* prints."""
        if self.json:
            click.echo(body)
        else:
            show(decoded(body, kind))


RemoteCommand = Callable[..., Awaitable[None]]
"""Its first argument is the `Remote`, the others are its options."""


def remote(command: RemoteCommand) -> Callable[..., None]:
    """Give *command* the options of a client, run it, and turn its errors into exit codes."""

    @with_service_address
    @click.option("--json", "as_json", is_flag=True, help="Print the body of the API's answer as it is.")
    @wraps(command)
    def run(url: str, bearer: str | None, *, as_json: bool, **options: object) -> None:
        async def carry_out() -> None:
            async with ApiClient(url, bearer) as service:
                await command(Remote(service, as_json), **options)

        with exit_codes():
            asyncio.run(carry_out())

    run.__doc__ = cleandoc(command.__doc__ or "") + EXIT_CODE_HELP
    return run


@contextmanager
def exit_codes() -> Iterator[None]:
    """Turn an error of the service into a line on stderr and an exit code."""
    try:
        yield
    except RefusedError as error:
        click.echo(f"Error: {one_line(error.problem.explanation)}", err=True)
        sys.exit(ExitCode.REFUSED)
    except AwayError as error:
        click.echo(f"Error: {one_line(str(error))}", err=True)
        sys.exit(ExitCode.AWAY)
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)


def example(*lines: str) -> Callable[[F], F]:
    """Add command lines to the help of a command."""

    def documented(command: F) -> F:
        text = "\n".join(f"  {line}" for line in lines)
        command.__doc__ = f"{cleandoc(command.__doc__ or '')}\n\n\b\nExamples:\n{text}"
        return command

    return documented


def with_paging(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give *command* the options `--limit` and `--cursor`."""
    with_limit = click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="How many at most.")
    return with_limit(click.option("--cursor", help="Go on after a page: its `next`.")(command))


def with_reason(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give *command* the option `--reason`."""
    return click.option("--reason", help="Why, for the log.")(command)


def print_next_page(cursor: str | None) -> None:
    """Print the option that shows the next page, if there is one."""
    if cursor is not None:
        click.echo(f"there are more: --cursor {cursor}", err=True)


def confirm(question: str, *, yes: bool) -> None:
    """Ask *question* on a terminal, unless *yes* was given.

    Raises:
        Abort: the answer is no, which ends the command with 1.

    """
    if not yes and sys.stdin.isatty():
        click.confirm(question, abort=True)
