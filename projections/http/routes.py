"""The routes of every read.

lookout = Lookout(reader, process, stopping)
app = Litestar([*routes, *READS], opt={"lookout": lookout}, …)
"""

from projections.http import campaigns, fleet, inquiries, log, metrics, units

RESOURCES = (campaigns, units, fleet, inquiries, log, metrics)
READS = tuple(handler for resource in RESOURCES for handler in resource.HANDLERS)
