"""What a family is called in OpenTelemetry: translated back by the rules for Prometheus, it is our name again."""

from projections.measures.family import Family

SUFFIXES = {"s": "_seconds", "By": "_bytes", "1": "_ratio"}


def otel_unit(family: Family) -> str:
    """Return the unit in UCUM; what is counted stands in braces, which a translation leaves out."""
    units = {"seconds": "s", "bytes": "By", "ratio": "1"}
    return "" if family.kind == "info" else units.get(family.unit, f"{{{noun(family)}}}")


def otel_name(family: Family) -> str:
    """Return the name with dots, without what unit and kind will add.

    >>> from projections.measures.catalogue import CATALOGUE
    >>> [otel_name(CATALOGUE[name]) for name in ("muster_attempt_duration_seconds", "muster_attempts_total")]
    ['muster.attempt.duration', 'muster.attempts']
    """
    name = family.name.removesuffix("_total") if family.kind == "counter" else family.name
    return name.removesuffix(SUFFIXES.get(otel_unit(family), "")).replace("_", ".")


def noun(family: Family) -> str:
    """Return what is counted."""
    return family.name.removeprefix("muster_").removesuffix("_total").rpartition("_")[2].removesuffix("s")


def prometheus_name(name: str, unit: str, *, monotonic: bool) -> str:
    """Return what a metric of OpenTelemetry is called in Prometheus.

    >>> prometheus_name("muster.attempt.duration", "s", monotonic=False)
    'muster_attempt_duration_seconds'
    >>> prometheus_name("muster.attempts", "{attempt}", monotonic=True)
    'muster_attempts_total'
    """
    name = name.replace(".", "_") + ("" if unit.startswith("{") else SUFFIXES.get(unit, ""))
    return f"{name}_total" if monotonic else name
