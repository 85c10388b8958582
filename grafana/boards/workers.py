"""Workers and leases: which workers are healthy, which are silent, which leases expire."""

from grafana.panel import (
    ANY_IS_ORANGE,
    ANY_IS_RED,
    GREEN,
    ORANGE,
    RED,
    WORKER_LINE,
    WORKERS,
    YELLOW,
    Board,
    Link,
    Row,
    ask,
    heat,
    lines,
    stat,
    states,
    table,
)

NOW = Row(
    "Now",
    (
        stat(
            "Workers healthy",
            "Workers heard within their warn limit (30 s by default). This is the number to compare with how many you started;"
            " none at all while units are ready stops the night.",
            'sum(F(muster_workers{level="healthy"}))',
            limits=((0, RED), (1, GREEN)),
            links=WORKERS,
        ),
        stat(
            "Workers warn",
            "Workers silent for longer than the warn limit. A few that come and go are busy hosts; if they stay, shorten the"
            " heartbeat interval or free the machine.",
            'sum(F(muster_workers{level="warn"}))',
            limits=((0, GREEN), (1, YELLOW)),
            links=WORKERS,
        ),
        stat(
            "Workers stale",
            "Workers silent for longer than the stale limit (60 s by default). Check their hosts and network now: at the dead"
            " limit their units are taken away and run again elsewhere.",
            'sum(F(muster_workers{level="stale"}))',
            limits=ANY_IS_ORANGE,
            links=WORKERS,
        ),
        stat(
            "Workers dead",
            "Workers silent beyond the dead limit (300 s by default). Fence one that might still write somewhere, then restart"
            " it; its units are handed out again by themselves.",
            'sum(F(muster_workers{level="dead"}))',
            limits=ANY_IS_RED,
            links=WORKERS,
        ),
        stat(
            "Worst staleness",
            "Silence of the quietest watched worker. It predicts the next dead worker: above 60 s find its name in the table"
            " below before 300 s are over.",
            "max(F(muster_heartbeat_staleness_max_seconds))",
            unit="s",
            limits=((0, GREEN), (30, YELLOW), (60, ORANGE), (300, RED)),
        ),
        stat(
            "Overdue leases",
            "Expired leases that were not taken back. Above zero for minutes means that the leader's sweep does"
            " not run: look at leader and sweeps on the service board.",
            "sum(F(muster_leases_overdue))",
            limits=ANY_IS_RED,
        ),
    ),
)

HEARTBEATS = Row(
    "Heartbeats",
    (
        states(
            "Heartbeat level per worker",
            "The level of each worker over time. Regular short yellow is a heartbeat interval too close to the limit; one"
            " column of colour over all workers is the network or the service, not the workers.",
            ask('F(muster_worker_heartbeat_level{worker=~"$worker"})', "{{worker}}"),
            texts={0: ("healthy", GREEN), 1: ("warn", YELLOW), 2: ("stale", ORANGE), 3: ("dead", RED)},
            links=WORKER_LINE,
        ),
        table(
            "Workers",
            "Every worker with its host, version, units held and silence. Sort by silence to find who is about to be declared"
            " dead, and by version to find who was not updated; the name leads to the cockpit, where it can be drained or"
            " fenced.",
            ask('sum by (worker, host, version) (F(muster_worker_info{worker=~"$worker"}))'),
            ask('sum by (worker) (F(muster_worker_leases{worker=~"$worker"}))', "Leases"),
            ask(
                'time() - max by (worker) (F(muster_worker_last_heartbeat_timestamp_seconds{worker=~"$worker"}))',
                "Silent for",
                "s",
            ),
            labels={"worker": "Worker", "host": "Host", "version": "Version"},
            hidden=("Value #A",),
            links=(Link("Open the worker in the cockpit", "$cockpit/workers/${__data.fields.worker:percentencode}", "worker"),),
        ),
        lines(
            "Silence per worker",
            "Seconds since the last heartbeat of the ten quietest workers. A saw-tooth is normal; a straight climb is a worker"
            " that will not come back: free its host or fence it.",
            ask('topk(10, time() - F(muster_worker_last_heartbeat_timestamp_seconds{worker=~"$worker"}))', "{{worker}}"),
            unit="s",
            limits=((0, GREEN), (30, YELLOW), (60, ORANGE), (300, RED)),
            links=WORKER_LINE,
            width=12,
        ),
        lines(
            "Level transitions",
            "Changes of level per hour, each counted once. Many to warn and back to healthy are"
            " flapping: raise the warn limit of the policy or the rate of heartbeats.",
            ask("3600 * sum by (to) (R(muster_heartbeat_level_transitions_total))", "{{to}}"),
            width=12,
        ),
        heat(
            "Heartbeat interval",
            "Time between two heartbeats of the same worker. Choose the warn limit above the bulk of this band; a tail towards"
            " minutes belongs to hosts that swap or sleep.",
            ask("sum by (le) (I[$__interval](muster_heartbeat_interval_seconds_bucket))", "{{le}}"),
            unit="s",
        ),
        lines(
            "Heartbeats per second",
            "Heartbeats accepted by the whole installation. It should be running units over the heartbeat interval; a drop"
            " without fewer units means that reports no longer arrive.",
            "sum(R(muster_heartbeats_total))",
            unit="ops",
        ),
        lines(
            "Registrations and exits",
            "Workers that registered, per hour. A steady stream from few hosts is a worker that restarts in a loop:"
            " read its own log, Muster sees only that it comes again.",
            "3600 * sum(R(muster_worker_registrations_total))",
        ),
        lines(
            "Exits by reason",
            "Workers that left, per hour: clean deregistered, dead fell silent, retired were removed. Dead exits in a row from"
            " one host are usually its memory running out.",
            ask("3600 * sum by (reason) (R[1h](muster_worker_exits_total))", "{{reason}}"),
            width=12,
        ),
        lines(
            "Crash recoveries",
            "Recovery plans that were applied or declined per hour, and the units they gave back. An open plan waits for a"
            " decision on the cockpit's recovery page; declining cancels the campaign.",
            ask("3600 * sum by (result) (R[1h](muster_recoveries_total))", "{{result}}"),
            ask("3600 * sum(R[1h](muster_recovered_units_total))", "units"),
            links=(Link("Open the recovery plans", "$cockpit/recovery"),),
            width=12,
        ),
    ),
)

LEASES = Row(
    "Leases",
    (
        lines(
            "Lease events",
            "What happens to leases: granted, renewed by heartbeats, released, expired, fenced. Expired should be near zero; if"
            " it follows granted, leases are shorter than the workers' heartbeats.",
            ask("sum by (event) (R(muster_lease_events_total))", "{{event}}"),
            unit="ops",
            width=6,
        ),
        lines(
            "Expired share",
            "Part of the leases granted in the last 30 minutes that ran out. Each one is a failed attempt: above 10 % lengthen"
            " `lease_s` of the policy or find out why workers stop reporting.",
            'sum(I[30m](muster_lease_events_total{event="expired"}))'
            ' / (sum(I[30m](muster_lease_events_total{event="granted"})) > 0)',
            unit="percentunit",
            limits=((0, GREEN), (0.1, RED)),
            width=6,
        ),
        lines(
            "Leases",
            "Units held by workers at each moment, the exact number of used slots. It must never exceed the pool; if it stands"
            " still, no claim and no completion gets through.",
            "sum(F(muster_leases))",
            width=6,
        ),
        lines(
            "Late results",
            "Reports that came under a superseded token, per hour; each is refused, kept and changes nothing. Many of them mean"
            " that work is done twice: workers outlive their leases, so lengthen the lease or speed up their heartbeats.",
            "3600 * sum(R[1h](muster_late_results_total))",
            width=6,
        ),
    ),
)

BOARD = Board(
    uid="muster-workers",
    title="Muster / Workers and leases",
    description="Which workers are healthy, which are silent, which leases expire.",
    rows=(NOW, HEARTBEATS, LEASES),
    chooses="worker",
)
