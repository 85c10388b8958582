"""The fold of the log into state: the only code that changes a row, both in the Writer and in a rebuild."""

from service.domain.evolve.fold import evolve

__all__ = ["evolve"]
