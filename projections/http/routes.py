"""The routes of every read.

lookout = Lookout(reader, process, stopping)
app = Litestar([*routes, *READS], opt={"lookout": lookout}, …)
"""

from projections.http import campaigns, fleet, log, metrics, units

RESOURCES = (campaigns, units, fleet, log, metrics)
READS = tuple(handler for resource in RESOURCES for handler in resource.HANDLERS)
