"""The checker of the invariants: over the whole log, and over the tables that are folded from it."""

from projections.verify.run import Finding, LogUnreadable, verify

__all__ = ["Finding", "LogUnreadable", "verify"]
