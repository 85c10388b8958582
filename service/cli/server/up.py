"""`muster up`: the whole service on this machine, with a Postgres of its own."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import click

from service import server
from service.cli.server.announcement import announce
from service.cli.server.supervisor import supervise
from service.embedded import exclusive_folder, served
from service.logs import configure
from service.loops.leader import vacate
from service.main import create_app
from service.settings import Settings
from service.store.db.migration import migrate


@click.command()
@click.option("--data", metavar="DIR", help="Folder for everything that lasts.  [default: .muster]")
@click.option("--host", help="Address to listen on; MUSTER_HOST.")
@click.option("--port", type=int, help="Port to listen on; MUSTER_PORT.")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Replicas on the port; a scrape reaches one of them, so scrape scope=fleet.",
)
def up(data: str | None, host: str | None, port: int | None, workers: int) -> None:
    """Run Muster on this machine until Ctrl-C; everything it stores stays in DIR."""
    settings = Settings.read(os.environ, data_dir=data, host=host, port=port)
    configure(settings)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    data_dir = Path(settings.data_dir)
    with exclusive_folder(data_dir), server.listen(settings) as listener, served(data_dir) as dsn:
        migrate(dsn)
        asyncio.run(vacate(dsn))
        announce(settings)
        run(settings.with_dsn(dsn), listener, workers)


def run(settings: Settings, listener: socket.socket, workers: int) -> None:
    """Serve in this process, or supervise several replicas."""
    if workers == 1:
        server.serve(create_app, settings, listener)
    else:
        supervise(settings, listener, workers)
