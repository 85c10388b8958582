"""The log and its fold."""

from projections.measures.family import counter, gauge
from service.domain.events import EVENTS

KINDS = tuple(event.kind for event in EVENTS)
RELATIONS = ("events", "heartbeats", "state", "views", "series", "screens")

LOG = (
    counter("muster_events_total", "Events of the log by kind.", " ".join(KINDS), kind=KINDS),
    counter("muster_leader_changes_total", "Times that a replica took the lead.", "leader.elected"),
    gauge("muster_event_store_position", "Last position of the log."),
    gauge(
        "muster_event_store_size_bytes", "Size of what holds the log, the state and the views, each minute.", relation=RELATIONS
    ),
    gauge("muster_projection_position", "Position up to which a projection is folded.", projection=("views",)),
    gauge("muster_projection_lag_events", "Events that a projection has still to fold.", projection=("views",)),
    gauge("muster_projection_lag_seconds", "Age of the oldest event not yet folded.", "T", projection=("views",)),
    gauge("muster_projection_generation", "Grows by one with each swapped rebuild.", projection=("views",)),
    gauge("muster_projection_rebuild_ratio", "How far a rebuild is; absent when there is none.", projection=("views",)),
    gauge("muster_metrics_fold_position", "Position of the snapshot in this very exposition."),
    gauge("muster_metrics_dropped_entities", "What the caps keep out of the exposition.", entity=("campaign", "worker", "quota")),
)
