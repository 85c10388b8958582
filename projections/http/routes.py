"""The routes of every read.

context = ReadContext(reader, process, stopping)
app = Litestar([*routes, *READS], opt={"read_context": context}, …)
"""

from projections.http.handlers import campaigns, events, investigations, metrics, units, workers

RESOURCES = (campaigns, units, workers, investigations, events, metrics)
READS = tuple(handler for resource in RESOURCES for handler in resource.HANDLERS)
