"""Logs an outage of the database once for each loop, and its end once."""

from logging import Logger


class OutageLog:
    """Logs when the database goes away and when it comes back, not each attempt in between."""

    def __init__(self, log: Logger, again: str) -> None:
        self._log = log
        self._again = again
        self._there = True

    def report_outage(self, why: str) -> None:
        """Log *why* the database is away, unless that is logged already."""
        if self._there:
            self._log.warning("%s", why)
        self._there = False

    def report_recovery(self) -> None:
        """Log that the database is back, if it was away."""
        if not self._there:
            self._log.warning("%s", self._again)
        self._there = True
