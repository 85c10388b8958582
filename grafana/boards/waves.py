"""The row on waves of the failures board."""

from grafana.panel import GREEN, ORANGE, Row, ask, heat, lines

WAVES = Row(
    "Waves",
    (
        heat(
            "Wave duration",
            "Time from a wave's first claim to its last final unit. The whole campaign waits for each wave's slowest unit: when"
            " this band climbs while attempts do not, one straggler holds the rest; find it among the running units.",
            ask("sum by (le) (I[$__interval](muster_wave_duration_seconds_bucket))", "{{le}}"),
            unit="s",
            width=12,
        ),
        lines(
            "Waves",
            "Waves that ended per hour: complete, partial with some units lost, failed with none done. A failed wave leaves"
            " nothing for the next one to build on: stop the campaign there and look at the units they share.",
            ask("3600 * sum by (outcome) (R[1h](muster_waves_total))", "{{outcome}}"),
            width=12,
        ),
        heat(
            "Wave width",
            "How many units a wave holds. Narrow waves leave slots idle whatever the pool: loosen dependencies or give several"
            " campaigns the same night; very wide ones profit from more workers.",
            ask("sum by (le) (I[$__interval](muster_wave_units_bucket))", "{{le}}"),
        ),
        lines(
            "Wave duration quantiles",
            "Half and 95 % of waves end within this time. When the two drift apart, few waves with a straggler cost most of the"
            " night; a maximum duration in the policy bounds them.",
            ask("hq(0.5, sum by (le) (R[1h](muster_wave_duration_seconds_bucket)))", "p50"),
            ask("hq(0.95, sum by (le) (R[1h](muster_wave_duration_seconds_bucket)))", "p95"),
            unit="s",
        ),
        lines(
            "Bottleneck",
            "Used share of the pool. At 100 % with units ready, raise the pool size; low while waves take long, the slots are"
            " not what is missing: look at workers, quotas and the shape of the dependencies.",
            "sum(F(muster_pool_active)) / sum(F(muster_pool_capacity))",
            unit="percentunit",
            limits=((0, GREEN), (1, ORANGE)),
            most=1,
        ),
    ),
)
