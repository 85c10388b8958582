"""`muster work`: run a command once per unit of a campaign."""

import asyncio
import os
import resource
import secrets
import signal
import socket
from pathlib import Path

import click
import msgspec

from service.cli.option import labels_of, with_service_address
from service.client.http_client import ApiClient
from service.worker.command import CommandLine, PlaceholderError
from service.worker.console import Console
from service.worker.loop import WorkerLoop
from service.worker.options import WorkerExitCode, WorkOptions
from service.worker.service_client import WorkerClient
from service.worker.spool import Spool

OTHER_FILES = 64
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def command_of(_: click.Context, __: click.Parameter, arguments: tuple[str, ...]) -> CommandLine:
    """Read the command.

    Raises:
        BadParameter: a placeholder that no unit has.

    """
    try:
        return CommandLine(arguments)
    except PlaceholderError as error:
        raise click.BadParameter(str(error)) from error


def concurrency_of(_: click.Context, __: click.Parameter, concurrency: int) -> int:
    """Read how many units run at once. Each needs two open files: the pipe of its output, and a pidfd for its end.

    Raises:
        BadParameter: the limit of open files is lower than that.

    """
    needed, soft = 2 * concurrency + OTHER_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft != resource.RLIM_INFINITY and needed > soft:
        raise click.BadParameter(f"{concurrency} needs {needed} open files, allowed are {soft}; see `ulimit -n`")
    return concurrency


def own_name() -> str:
    """Return a name that no other worker has had."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"[-128:]


def state_folder() -> Path:
    """Return the folder of the spool below the state folder of the XDG Base Directory Specification."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "muster" / "spool"


@click.command(options_metavar="--campaign NAME [OPTIONS] --", context_settings={"allow_interspersed_args": False})
@click.option("--campaign", "campaigns", multiple=True, required=True, metavar="NAME", help="Whose units; repeat for several.")
@click.option(
    "--concurrency", default=1, show_default=True, type=click.IntRange(1, 10_000), callback=concurrency_of, help="Units at once."
)
@with_service_address
@click.option("--worker", default=own_name, metavar="ID", help="This worker's name  [default: host, process, random letters]")
@click.option("--labels", multiple=True, metavar="NAME=VALUE", callback=labels_of, help="What this worker offers.")
@click.option("--until-drained", is_flag=True, help="End when the campaign has ended; 1 unless it was achieved.")
@click.option("--grace", "grace_s", default=60.0, show_default=True, help="Seconds to finish after a first signal.")
@click.option("--kill-after", "kill_after_s", default=10.0, show_default=True, help="Seconds from SIGTERM to SIGKILL.")
@click.option(
    "--wait", "wait_s", default=5.0, show_default=True, type=click.FloatRange(0, 60), help="Seconds to wait for a unit."
)
@click.option(
    "--spool",
    default=state_folder,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Keeps results until they are delivered.",
)
@click.option("--quiet", is_flag=True, help="Print only trouble.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, callback=command_of)
def work(**arguments: object) -> None:
    """Run COMMAND once per unit, with {key}, {campaign}, {attempt} and {payload.FIELD} filled in.

    The unit is also in the environment: MUSTER_KEY, MUSTER_PAYLOAD and the like. A first SIGTERM or
    SIGINT stops claiming and finishes running units, a second one stops and releases them.

    Ends with 0 when everything it finished was delivered, 1 when the drained campaign has failed, 2 when
    called wrongly, 3 when the service refuses it, 4 when results stay behind in the spool.
    """
    raise SystemExit(asyncio.run(run_worker(msgspec.convert(arguments, WorkOptions))))


async def run_worker(options: WorkOptions) -> WorkerExitCode:
    """Run a worker with *options*; SIGTERM, SIGINT and SIGHUP stop it.

    Raises:
        ClickException: the folder of the spool cannot be used.

    """
    try:
        spool = Spool(options.spool, options.url)
    except OSError as error:
        raise click.ClickException(f"--spool {options.spool}: {error.strerror}") from error
    async with ApiClient(options.url, options.bearer) as http:
        worker = WorkerLoop(options, WorkerClient(http), spool, Console(quiet=options.quiet))
        for number in SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, worker.interrupt)
        try:
            return await worker.work()
        finally:
            spool.close()
