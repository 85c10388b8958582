"""The routes of every read.

lookout = Lookout(reader, process, stopping)
app = Litestar([*routes, *READS], opt={"read_context": lookout}, …)
"""

from projections.http.handlers import campaigns, events, investigations, metrics, units, workers

RESOURCES = (campaigns, units, workers, investigations, events, metrics)
READS = tuple(handler for resource in RESOURCES for handler in resource.HANDLERS)
