"""The Prometheus text format and OpenMetrics 1.0: rows of the catalogue and of this process, as text."""

import math
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry

from projections.export.snapshot import Rows
from projections.measures.book import Key, Series
from projections.measures.family import Family

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def accepts_openmetrics(accept: str) -> bool:
    """Tell whether the scraper prefers OpenMetrics in a version that is written here.

    >>> accepts_openmetrics("application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5")
    True
    >>> accepts_openmetrics("text/plain, application/openmetrics-text;q=0.1")
    False
    """
    best, plain = 0.0, 0.0
    for part in accept.split(","):
        kind, *parameters = (word.strip() for word in part.split(";"))
        named = dict(parameter.partition("=")[::2] for parameter in parameters)
        weight = quality(named.get("q", "1"))
        if kind == "application/openmetrics-text" and named.get("version", "1.0.0") in ("1.0.0", "0.0.1"):
            best = max(best, weight)
        elif kind in ("text/plain", "text/*", "*/*"):
            plain = max(plain, weight if kind == "text/plain" else 0.0)
    return best > 0 and best >= plain


def quality(text: str) -> float:
    """Return a weight of an Accept header, 0 when it is none."""
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def fleet(rows: Iterable[Rows], *, openmetrics: bool) -> Iterator[str]:
    """Yield the lines of the fleet's families."""
    for row in rows:
        family = row.family
        if not row.samples and not row.series:
            continue
        yield from heading(family.name, family.kind, family.help, openmetrics=openmetrics)
        for sample in row.samples:
            yield line(family.name, labels(family, sample.labels), sample.value)
        for key, series in row.series:
            yield from folded(family, key, series)


def heading(name: str, kind: str, text: str, *, openmetrics: bool) -> Iterator[str]:
    """Yield HELP and TYPE; OpenMetrics names a counter without its suffix, the text format knows no info."""
    if openmetrics:
        name = name.removesuffix("_total") if kind == "counter" else name.removesuffix("_info") if kind == "info" else name
    elif kind == "info":
        kind = "gauge"
    yield f"# HELP {name} {escaped_help(text, openmetrics=openmetrics)}\n"
    yield f"# TYPE {name} {kind}\n"


def labels(family: Family, values: tuple[str, ...]) -> str:
    """Return label values with their names, as they stand between braces."""
    return ",".join(f'{name}="{escaped(value)}"' for name, value in zip(family.labels, values, strict=True))


def folded(family: Family, key: Key, series: Series) -> Iterator[str]:
    """Yield one counter or one histogram with cumulative buckets."""
    shown = labels(family, key[1])
    if family.kind != "histogram":
        yield line(family.name, shown, series.value)
        return
    comma = "," if shown else ""
    total = 0
    for bound, count in zip((*family.buckets, float("inf")), series.buckets, strict=True):
        total += count
        yield line(f"{family.name}_bucket", f'{shown}{comma}le="{number(bound)}"', total)
    yield line(f"{family.name}_count", shown, series.value)
    yield line(f"{family.name}_sum", shown, series.sum_us / 1_000_000 if family.unit == "seconds" else series.sum_us)


def process(registry: CollectorRegistry, *, openmetrics: bool) -> Iterator[str]:
    """Yield the lines of this process's own families; when a series began is not shown."""
    for metric in registry.collect():
        name = metric.name + {"counter": "_total", "info": "_info"}.get(metric.type, "")
        yield from heading(name, metric.type, metric.documentation, openmetrics=openmetrics)
        for sample in metric.samples:
            if not sample.name.endswith("_created"):
                shown = ",".join(f'{label}="{escaped(value)}"' for label, value in sample.labels.items())
                yield line(sample.name, shown, sample.value)


def line(name: str, shown: str, value: float) -> str:
    """Return one sample."""
    return f"{name}{{{shown}}} {number(value)}\n" if shown else f"{name} {number(value)}\n"


def number(value: float) -> str:
    """Return a value as every scraper reads it.

    >>> [number(value) for value in (3, 0.5, float("inf"), float("nan"))]
    ['3', '0.5', '+Inf', 'NaN']
    """
    if isinstance(value, int) or math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"


def escaped(value: str) -> str:
    r"""Return a label value as it may stand between quotes; half a surrogate pair becomes a question mark.

    >>> print(escaped('a"b' + chr(10) + chr(0xD800)))
    a\"b\n?
    """
    if not value.isprintable():
        value = value.encode("utf-8", "replace").decode()
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def escaped_help(text: str, *, openmetrics: bool) -> str:
    """Return a help text on one line."""
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if openmetrics else text
