"""The keeper of an embedded Postgres: a thread that restarts the server when it dies."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from service.embedded.cluster import Cluster

_log = logging.getLogger(__name__)

FIRST_REST_S = 0.5
LONGEST_REST_S = 30.0
STEADY_S = 60.0
"""A server that ran for this long is restarted at once when it dies; the count of failed starts begins anew."""
_LOOK_S = 0.05
_DOUBLINGS = 16


@contextmanager
def kept_alive(cluster: Cluster, resume: Callable[[], None]) -> Iterator[None]:
    """Call *resume* whenever the server of *cluster* dies; at the end stop the server, and any that is just starting."""
    ending = threading.Event()
    keeper = threading.Thread(target=keep, args=(cluster.wait, resume, ending.wait), name="keeper", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ending.set()
        while keeper.is_alive():
            cluster.stop()  # repeated, because the keeper may be just about to start one
            keeper.join(_LOOK_S)


def keep(wait: Callable[[], int], resume: Callable[[], None], ended: Callable[[float], bool]) -> None:
    """Each time *wait* returns the exit code of a server, call *resume* until it succeeds.

    *ended* waits up to some seconds for the order to end, and tells whether it came.
    """
    tries = 0
    while True:
        started = monotonic()
        code = wait()
        if ended(0):
            return
        died = monotonic()
        tries = 0 if died - started >= STEADY_S else tries
        _log.error("the embedded Postgres ended with %d, restarting it", code)
        while True:
            if ended(restart_delay(tries)):
                return
            tries += 1
            try:
                resume()
            except Exception as error:  # noqa: BLE001 - a loop outlives what befalls one of its rounds
                if ended(0):
                    return
                why = "; ".join(str(error).splitlines())
                _log.error("the embedded Postgres does not start, next try in %g s: %s", restart_delay(tries), why)
            else:
                break
        _log.warning("the embedded Postgres is back after %.1f s", monotonic() - died)


def restart_delay(tries: int) -> float:
    """Return the seconds to wait before the next start after *tries* failures in a row: doubling, up to half a minute.

    >>> [restart_delay(tries) for tries in (0, 1, 2, 3, 6, 7, 1000)]
    [0.0, 0.5, 1.0, 2.0, 16.0, 30.0, 30.0]
    """
    return min(FIRST_REST_S * 2 ** min(tries - 1, _DOUBLINGS), LONGEST_REST_S) if tries else 0.0
