"""`make observe`: Prometheus and Alertmanager beside a running Muster; Ctrl-C ends what this started."""

import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import click

from ops.observe.sink import Sink
from ops.observe.stack import ALERTMANAGER, MUSTER, QUICK, SINK, NotStarted, alertmanager, prometheus

PORT = click.IntRange(1, 65535)


@click.command()
@click.option(
    "--target", "targets", multiple=True, default=[MUSTER], show_default=True, help="A replica's host:port, repeatable."
)
@click.option("--data", type=click.Path(path_type=Path), help="Folder that keeps the series  [default: a temporary one]")
@click.option("--prometheus-port", type=PORT, default=9090, show_default=True)
@click.option("--alertmanager-port", type=PORT, default=9093, show_default=True)
@click.option("--sink-port", type=PORT, default=9099, show_default=True, help="Where notifications arrive and runbooks are.")
@click.option("--quick", is_flag=True, help="Scrape every second and tell at once, for a demonstration.")
def observe(
    *, targets: tuple[str, ...], data: Path | None, prometheus_port: int, alertmanager_port: int, sink_port: int, quick: bool
) -> None:
    """Watch Muster with the rules of ops/prometheus/; notifications are printed here."""
    changes = {
        f'"{MUSTER}"': ", ".join(f'"{target}"' for target in targets),
        ALERTMANAGER: f"127.0.0.1:{alertmanager_port}",
        SINK: f"127.0.0.1:{sink_port}",
        **(QUICK if quick else {}),
    }
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as running:
        folder = data or Path(running.enter_context(tempfile.TemporaryDirectory(prefix="muster-observe-")))
        folder.mkdir(parents=True, exist_ok=True)
        try:
            running.enter_context(Sink(sink_port, show=lambda line: print(line, flush=True)))
            running.enter_context(alertmanager(folder, alertmanager_port, changes))
            running.enter_context(prometheus(folder, prometheus_port, changes))
            print(f"watching       {', '.join(targets)}")
            print(f"Prometheus     http://127.0.0.1:{prometheus_port}/alerts")
            print(f"Alertmanager   http://127.0.0.1:{alertmanager_port}/#/alerts")
            print(f"runbooks       http://127.0.0.1:{sink_port}/runbooks/MusterDown.md")
            print("notifications follow; Ctrl-C ends it", flush=True)
            signal.pause()
        except NotStarted as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            raise click.ClickException(f"port {sink_port}: {error.strerror}; choose another with --sink-port") from error
        except KeyboardInterrupt:
            sys.exit(0)


observe()
