"""Every case of every rule."""

from tests.rules.cases.api import API
from tests.rules.cases.campaigns import CAMPAIGNS
from tests.rules.cases.failures import FAILURES
from tests.rules.cases.log import LOG
from tests.rules.cases.quota import QUOTA
from tests.rules.cases.recorded import RECORDED
from tests.rules.cases.service import SERVICE
from tests.rules.cases.workers import WORKERS

CASES = CAMPAIGNS | FAILURES | WORKERS | QUOTA | LOG | API | SERVICE

__all__ = ["CASES", "RECORDED"]
