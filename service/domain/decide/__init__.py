"""What the service decides: a command and the state in, facts and a reply out."""

from service.domain.decide.decide import DecisionOutcome, decide

__all__ = ["DecisionOutcome", "decide"]
