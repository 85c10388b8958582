"""The line that `muster up` and `muster serve` print once the service is ready."""

import http.client
import sys
import threading
import time

import click

from service.settings import Settings

COMPLAINT_S = 15.0
_POLL_S = 0.1


def announce(settings: Settings) -> None:
    """Print the address as soon as `/readyz` answers 200, in the background; print the reason when that takes long."""
    threading.Thread(target=_wait, args=(settings,), daemon=True).start()


def _wait(settings: Settings) -> None:
    complain_at = time.monotonic() + COMPLAINT_S
    while (reason := _not_ready_reason(settings)) is not None:
        if time.monotonic() > complain_at:
            click.echo(f"not ready yet: {reason}", err=True)
            complain_at = time.monotonic() + COMPLAINT_S
        time.sleep(_POLL_S)
    click.echo(f"Muster is ready: {settings.url}")
    sys.stdout.flush()


def _not_ready_reason(settings: Settings) -> str | None:
    """Return why the service is not ready, None once it is."""
    connection = http.client.HTTPConnection(settings.host, settings.port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return None if answer.status == http.client.OK else answer.read().decode()
    except (OSError, http.client.HTTPException) as error:
        return str(error)
    finally:
        connection.close()
