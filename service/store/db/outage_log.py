"""Contact with the database, as one loop has it: a loss is said once, and so is the return."""

from logging import Logger


class OutageLog:
    """Tells the log when the database goes and when it comes back, not how often it was asked in between."""

    def __init__(self, log: Logger, again: str) -> None:
        self._log = log
        self._again = again
        self._there = True

    def report_outage(self, why: str) -> None:
        """Say *why* there is no contact, unless that is known."""
        if self._there:
            self._log.warning("%s", why)
        self._there = False

    def report_recovery(self) -> None:
        """Say that there is contact again, where it was lost."""
        if not self._there:
            self._log.warning("%s", self._again)
        self._there = True
