"""`muster serve`: one replica against a Postgres of your own."""

import asyncio
import os
import signal
import socket
import sys
import threading

import click

from service import server
from service.cli.server.announcement import announce
from service.cli.server.database import answering
from service.logs import configure
from service.main import create_app
from service.settings import Settings
from service.store.db.pool import require_sessions
from service.store.db.schema import require_head


@click.command()
@click.option("--dsn", metavar="DSN", help="Postgres 15 or newer; MUSTER_DSN.")
@click.option("--host", help="Address to listen on; MUSTER_HOST.")
@click.option("--port", type=int, help="Port to listen on; MUSTER_PORT.")
@click.option("--fd", type=int, hidden=True, help="An inherited socket of a parent; this process ends when the parent does.")
def serve(dsn: str | None, host: str | None, port: int | None, fd: int | None) -> None:
    """Run one replica against any Postgres; start as many as you like."""
    settings = Settings.read(os.environ, dsn=dsn, host=host, port=port)
    configure(settings)
    if not settings.dsn:
        raise click.ClickException("no database: give --dsn or MUSTER_DSN, or use `muster up`")
    with socket.socket(fileno=fd) if fd is not None else server.listen(settings) as listener:
        with answering(settings.dsn):
            asyncio.run(require_head(settings.dsn))
        with answering(settings.direct.dsn):
            asyncio.run(require_sessions(settings))
        if fd is None:
            announce(settings)
        else:
            end_with_parent()
        server.serve(create_app, settings, listener)


def end_with_parent() -> None:
    """Stop this process when its parent ends, which closes the pipe at standard input."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 1):  # unbuffered: Python takes the lock of a buffer at exit
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()
