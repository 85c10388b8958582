"""Names of families in OpenTelemetry, such that the translation to Prometheus gives our names again."""

from projections.measures.family import Family

SUFFIXES = {"s": "_seconds", "By": "_bytes", "1": "_ratio"}


def otel_unit(family: Family) -> str:
    """Return the unit in UCUM; a counted noun is in braces, which the translation drops."""
    units = {"seconds": "s", "bytes": "By", "ratio": "1"}
    return "" if family.kind == "info" else units.get(family.unit, f"{{{noun(family)}}}")


def otel_name(family: Family) -> str:
    """Return the name with dots, without the suffixes that unit and kind will add.

    >>> from projections.measures.catalogue import CATALOGUE
    >>> [otel_name(CATALOGUE[name]) for name in ("muster_attempt_duration_seconds", "muster_attempts_total")]
    ['muster.attempt.duration', 'muster.attempts']
    """
    name = family.name.removesuffix("_total") if family.kind == "counter" else family.name
    return name.removesuffix(SUFFIXES.get(otel_unit(family), "")).replace("_", ".")


def noun(family: Family) -> str:
    """Return the noun that is counted."""
    return family.name.removeprefix("muster_").removesuffix("_total").rpartition("_")[2].removesuffix("s")


def prometheus_name(name: str, unit: str, *, monotonic: bool) -> str:
    """Return the Prometheus name of an OpenTelemetry metric.

    >>> prometheus_name("muster.attempt.duration", "s", monotonic=False)
    'muster_attempt_duration_seconds'
    >>> prometheus_name("muster.attempts", "{attempt}", monotonic=True)
    'muster_attempts_total'
    """
    name = name.replace(".", "_") + ("" if unit.startswith("{") else SUFFIXES.get(unit, ""))
    return f"{name}_total" if monotonic else name
