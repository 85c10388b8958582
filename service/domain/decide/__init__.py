"""What the service decides: a command and the state in, facts and a reply out."""

from service.domain.decide.decide import Outcome, decide

__all__ = ["Outcome", "decide"]
