"""What the service decides: a command and the state in, facts and a reply out; and which rows of the state that takes."""

from service.domain.decide.decide import DecisionOutcome, decide, reads
from service.domain.decide.following_reads import following_reads

__all__ = ["DecisionOutcome", "decide", "following_reads", "reads"]
