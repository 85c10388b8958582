"""What a case of the rules' tests is."""

from dataclasses import dataclass

# These differ from replica to replica; every other family is a fold that all replicas export alike.
OWN = (
    "up",
    "process_",
    "muster_http_",
    "muster_event_append_",
    "muster_projection_errors_",
    "muster_projection_divergences_",
    "muster_db_",
    "muster_event_loop_",
    "muster_leader",
    "muster_sweep_",
    "muster_otlp_",
    "muster_metrics_collect_",
    "muster_metrics_fold_position",
)


@dataclass(frozen=True)
class Case:
    """Series, and when the alert must fire on them and when not; *every* is the time between two samples."""

    about: str
    series: tuple[str, ...]
    fires: tuple[str, ...]
    quiet: tuple[str, ...]
    every: str


def case(about: str, *series: str, fires: str = "", quiet: str = "", every: str = "1m") -> Case:
    """Return a case; *fires* and *quiet* are instants after its beginning."""
    return Case(about, series, tuple(fires.split()), tuple(quiet.split()), every)


def counter(*stretches: tuple[int, int]) -> str:
    """Return a counter that grows by so much for so many samples, stretch after stretch.

    >>> counter((5, 3), (1, 2))
    '0 5+5x2 16+1x1'
    """
    values, height = ["0"], 0
    for growth, samples in stretches:
        values.append(f"{height + growth}+{growth}x{samples - 1}" if samples > 1 else f"{height + growth}")
        height += growth * samples
    return " ".join(values)


def fed(series: str) -> list[dict[str, str]]:
    """Return *series* as promtool reads it, a fold from two replicas.

    `muster_`, `job` and `instance` may be left out.
    """
    end = series.index("}") + 1 if "{" in series else series.index(" ")
    name, _, labels = series[:end].rstrip("}").partition("{")
    name = name if name == "up" or name.startswith("process_") else f"muster_{name}"
    given = [label for label in labels.split(",") if label]
    if not any(label.startswith("job=") for label in given):
        given.append('job="muster"')
    own = name.startswith(OWN) or any(label.startswith("instance=") for label in given)
    replicas = ['instance="a"'] if own else ['instance="a"', 'instance="b"']
    if any(label.startswith("instance=") for label in given):
        replicas = [""]
    return [
        {"series": f"{name}{{{','.join(filter(None, [*given, replica]))}}}", "values": series[end:].strip()}
        for replica in replicas
    ]
