"""The keeper of an embedded Postgres: it starts the server again whenever that has died under us."""

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
"""Having run so long, a server dies afresh: it is started again at once."""
_LOOK_S = 0.05
_DOUBLINGS = 16


@contextmanager
def kept_alive(cluster: Cluster, resume: Callable[[], None]) -> Iterator[None]:
    """Have *resume* called whenever the server of *cluster* has died; at the end the server is stopped, and none is starting."""
    ending = threading.Event()
    keeper = threading.Thread(target=keep, args=(cluster.wait, resume, ending.wait), name="keeper", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ending.set()
        while keeper.is_alive():
            cluster.stop()  # again and again: the keeper may be about to start one
            keeper.join(_LOOK_S)


def keep(wait: Callable[[], int], resume: Callable[[], None], ended: Callable[[float], bool]) -> None:
    """Call *resume* until it succeeds, each time *wait* has returned how a server ended.

    *ended* waits some seconds for the order to end, and tells whether it came.
    """
    tries = 0
    while True:
        started = monotonic()
        code = wait()
        if ended(0):
            return
        died = monotonic()
        tries = 0 if died - started >= STEADY_S else tries
        _log.error("the embedded Postgres ended with %d, starting it again", code)
        while True:
            if ended(rest(tries)):
                return
            tries += 1
            try:
                resume()
            except Exception as error:  # noqa: BLE001 - a loop outlives what befalls one of its rounds
                if ended(0):
                    return
                why = "; ".join(str(error).splitlines())
                _log.error("the embedded Postgres does not start, next try in %g s: %s", rest(tries), why)
            else:
                break
        _log.warning("the embedded Postgres is back after %.1f s", monotonic() - died)


def rest(tries: int) -> float:
    """Return the seconds to rest after so many tries in a row.

    >>> [rest(tries) for tries in (0, 1, 2, 3, 6, 7, 1000)]
    [0.0, 0.5, 1.0, 2.0, 16.0, 30.0, 30.0]
    """
    return min(FIRST_REST_S * 2 ** min(tries - 1, _DOUBLINGS), LONGEST_REST_S) if tries else 0.0
