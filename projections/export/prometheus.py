"""The Prometheus text format and OpenMetrics 1.0 or 2.0: rows of the catalogue and of this process, as text.

Metrics about heartbeats, as all others, become lines here.
"""

import math
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache

from prometheus_client import CollectorRegistry

from projections.export.native_histogram import composite
from projections.export.snapshot import Rows
from projections.measures.catalogue import CATALOGUE
from projections.measures.family import Family
from projections.measures.series import Exemplar, cumulative
from projections.measures.series_store import Key, Series

TEXT = "text/plain; version=0.0.4"
"""Without a charset, which Litestar adds to text types only."""
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
NATIVE = "application/openmetrics-text; version=2.0.0; charset=utf-8"
"""OpenMetrics with native histograms beside those with the buckets of the catalogue."""
VERSIONS = {"1.0.0": OPENMETRICS, "2.0.0": NATIVE}
CACHED_STARTS = 200_000
EXEMPLAR_CHARS = 128


def negotiate(accept: str) -> str:
    """Return the content type that the scraper prefers among those that Muster writes.

    >>> negotiate("application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5") == OPENMETRICS
    True
    >>> negotiate("application/openmetrics-text;version=2.0.0,application/openmetrics-text;version=1.0.0;q=0.9") == NATIVE
    True
    >>> negotiate("text/plain, application/openmetrics-text;q=0.1") == TEXT
    True
    """
    weights = {OPENMETRICS: 0.0, NATIVE: 0.0, TEXT: 0.0}
    for part in accept.split(","):
        kind, *parameters = (word.strip() for word in part.split(";"))
        values = dict(parameter.partition("=")[::2] for parameter in parameters)
        version = values.get("version", "1.0.0")
        content_type = VERSIONS.get(version) if kind == "application/openmetrics-text" else TEXT if kind == "text/plain" else None
        if content_type is not None:
            weights[content_type] = max(weights[content_type], quality(values.get("q", "1")))
    best = max(weights, key=lambda candidate: weights[candidate])
    return best if weights[best] else TEXT


def quality(text: str) -> float:
    """Return a weight of an Accept header, 0 if it cannot be parsed."""
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def fleet(rows: Iterable[Rows], *, openmetrics: bool, native: bool = False) -> Iterator[str]:
    """Yield the lines of the fleet's families, with *native* histograms beside the others where there are some."""
    for row in rows:
        family = row.family
        if not row.samples and not row.series:
            continue
        yield from heading(family.name, family.kind, family.help, openmetrics=openmetrics)
        for sample in row.samples:
            yield f"{start(family.name, sample.labels)}{number(sample.value)}\n"
        for key, series in row.series:
            if family.kind == "histogram":
                yield from histogram(family, key, series, openmetrics=openmetrics)
                if native and family.exponential:
                    yield f"{start(*key)}{composite(series)}\n"
            else:
                yield from counter(key, series, openmetrics=openmetrics)


def heading(name: str, kind: str, text: str, *, openmetrics: bool) -> Iterator[str]:
    """Yield HELP and TYPE; OpenMetrics names a counter without its suffix, the text format has no type info."""
    if openmetrics:
        name = name.removesuffix("_total") if kind == "counter" else name.removesuffix("_info") if kind == "info" else name
    elif kind == "info":
        kind = "gauge"
    yield f"# HELP {name} {escaped_help(text, openmetrics=openmetrics)}\n"
    yield f"# TYPE {name} {kind}\n"


@lru_cache(maxsize=CACHED_STARTS)
def start(name: str, values: tuple[str, ...], suffix: str = "", bound: float | None = None) -> str:
    """Return the line of a sample up to its value; cached, because most lines are the same at each scrape."""
    labels = CATALOGUE[name].labels
    pairs = [f'{label}="{escaped(value)}"' for label, value in zip(labels, values, strict=True)]
    if bound is not None:
        pairs.append(f'le="{number(bound)}"')
    if suffix == "_created":
        name = name.removesuffix("_total")
    return f"{name}{suffix}{{{','.join(pairs)}}} " if pairs else f"{name}{suffix} "


def counter(key: Key, series: Series, *, openmetrics: bool) -> Iterator[str]:
    """Yield one counter."""
    yield f"{start(*key)}{series.value}\n"
    if openmetrics:
        yield f"{start(*key, '_created')}{instant(series.created_at)}\n"


def histogram(family: Family, key: Key, series: Series, *, openmetrics: bool) -> Iterator[str]:
    """Yield one histogram with cumulative buckets, in OpenMetrics with their exemplars."""
    scale = 1_000_000 if family.unit == "seconds" else 1
    for index, (bound, count) in enumerate(zip((*family.buckets, math.inf), cumulative(series.buckets), strict=True)):
        one = series.exemplars[index] if openmetrics and series.exemplars else None
        yield f"{start(*key, '_bucket', bound)}{count}{'' if one is None else exemplar(one, scale)}\n"
    yield f"{start(*key, '_count')}{series.value}\n"
    yield f"{start(*key, '_sum')}{number(series.sum_us / scale if scale > 1 else series.sum_us)}\n"
    if openmetrics:
        yield f"{start(*key, '_created')}{instant(series.created_at)}\n"


def exemplar(one: Exemplar, scale: int) -> str:
    """Return an exemplar as it follows a bucket; OpenMetrics limits its labels to 128 characters, names included."""
    observed, at, position, unit = one
    room = EXEMPLAR_CHARS - len("event_idunit") - len(str(position))
    label = f',unit="{escaped(unit[:room])}"' if unit else ""
    return f' # {{event_id="{position}"{label}}} {number(observed / scale)} {instant(at)}'


def instant(at: datetime) -> str:
    """Return *at* in seconds since 1970, with its microseconds.

    >>> instant(datetime.fromisoformat("2026-01-01T00:00:00.000005Z"))
    '1767225600.000005'
    """
    return f"{at.timestamp():.6f}"


def process(registry: CollectorRegistry, *, openmetrics: bool) -> Iterator[str]:
    """Yield the lines of this process's own families; the text format does not show when a series began."""
    for metric in registry.collect():
        name = metric.name + {"counter": "_total", "info": "_info"}.get(metric.type, "")
        yield from heading(name, metric.type, metric.documentation, openmetrics=openmetrics)
        for sample in metric.samples:
            if openmetrics or not sample.name.endswith("_created"):
                labels = ",".join(f'{label}="{escaped(value)}"' for label, value in sample.labels.items())
                yield line(sample.name, labels, sample.value)


def line(name: str, labels: str, value: float) -> str:
    """Return one sample."""
    return f"{name}{{{labels}}} {number(value)}\n" if labels else f"{name} {number(value)}\n"


def number(value: float) -> str:
    """Return a value as every scraper reads it.

    >>> [number(value) for value in (3, 0.5, float("inf"), float("nan"))]
    ['3', '0.5', '+Inf', 'NaN']
    """
    if isinstance(value, int) or math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"


def escaped(value: str) -> str:
    r"""Return a label value escaped for double quotes; lone surrogates become question marks.

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
