"""The rebuild: every table of state, cards and series computed again from the log, compared, and swapped in."""

from projections.rebuild.run import Rebuilt, check, rebuild

__all__ = ["Rebuilt", "check", "rebuild"]
