"""Every rule, in the order of the files."""

from ops.rules.alerts.api import API
from ops.rules.alerts.campaigns import CAMPAIGNS
from ops.rules.alerts.failures import FAILURES
from ops.rules.alerts.log import LOG
from ops.rules.alerts.quota import QUOTA
from ops.rules.alerts.service import SERVICE
from ops.rules.alerts.workers import WORKERS
from ops.rules.rule import Alert

ALERTING = (CAMPAIGNS, FAILURES, WORKERS, QUOTA, LOG, API, SERVICE)
ALERTS = tuple(rule for group in ALERTING for rule in group.rules if isinstance(rule, Alert))
