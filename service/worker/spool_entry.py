"""A debt: one claim that the worker owes an answer for, and the answer once there is one."""

import hashlib

import msgspec

from service.client.claim_types import Outcome
from service.worker.process_group import ProcessGroup


class SpoolEntry(msgspec.Struct, frozen=True):
    """What must survive the worker: whose claim it is, its command's group, its outcome."""

    worker: str
    campaign: str
    key: str
    token: str
    group: ProcessGroup | None = None
    outcome: Outcome | None = None

    @property
    def name(self) -> str:
        """Name the unit as people read it."""
        return f"{self.campaign}/{self.key}"

    @property
    def file(self) -> str:
        """Name the file that holds the debt."""
        return hashlib.sha256(self.token.encode()).hexdigest()[:32] + ".json"
