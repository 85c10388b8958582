"""Settings under the names that OpenTelemetry gives them, where ours are not set."""

from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

OTLP = "OTEL_EXPORTER_OTLP_"
WORDS = {
    "endpoint": "ENDPOINT",
    "protocol": "PROTOCOL",
    "headers": "HEADERS",
    "timeout_s": "TIMEOUT",
    "compression": "COMPRESSION",
    "certificate": "CERTIFICATE",
}
"""Each also with METRICS_ or TRACES_ before it, which goes first."""
AGGREGATION = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"
AGGREGATIONS = {"explicit_bucket_histogram": "explicit", "base2_exponential_bucket_histogram": "exponential"}


def conventional(environment: Mapping[str, str]) -> dict[str, str]:
    """Return our settings from the names of OpenTelemetry; its times are in milliseconds, and an empty value is none.

    >>> conventional({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_EXPORTER_OTLP_TIMEOUT": "5000"})
    {'otlp_endpoint': 'http://collector:4318/v1/metrics', 'otlp_timeout_s': '5.0'}
    >>> conventional({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"})
    {'otlp_traces_endpoint': 'http://collector:4318/v1/traces'}
    >>> conventional({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_SDK_DISABLED": "true"})
    {}
    """
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return {}
    found = metrics(environment) | traces(environment)
    name, given = environment.get("OTEL_SERVICE_NAME"), environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    found["otlp_attributes"] = ",".join(filter(None, (given, f"service.name={name}" if name else "")))
    return {ours: value for ours, value in found.items() if value}


def metrics(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of the metrics, on as soon as any endpoint is named."""
    if environment.get("OTEL_METRICS_EXPORTER") == "none":
        return {}
    found = {f"otlp_{ours}": value for ours, value in signal_settings("METRICS", environment).items()}
    found["otlp_interval_s"] = seconds(environment.get("OTEL_METRIC_EXPORT_INTERVAL", ""))
    return found | {"otlp_histograms": AGGREGATIONS.get(environment.get(AGGREGATION, ""), "")}


def traces(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of the traces: off until an endpoint of theirs is named, or their exporter."""
    asked = environment.get("OTEL_TRACES_EXPORTER")
    if "otlp" not in asked.split(",") if asked else not environment.get(f"{OTLP}TRACES_ENDPOINT"):
        return {}
    found = {f"otlp_traces_{ours}": value for ours, value in signal_settings("TRACES", environment).items()}
    return found | {"otlp_traces_interval_s": seconds(environment.get("OTEL_BSP_SCHEDULE_DELAY", ""))}


def signal_settings(signal: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return how *signal* is sent; an endpoint for all signals has a path for each, over HTTP."""
    found = {ours: environment.get(f"{OTLP}{signal}_{word}") or environment.get(OTLP + word, "") for ours, word in WORDS.items()}
    if found["endpoint"] and found["protocol"] != "grpc" and not environment.get(f"{OTLP}{signal}_ENDPOINT"):
        found["endpoint"] = f"{found['endpoint'].rstrip('/')}/v1/{signal.lower()}"
    return found | {"timeout_s": seconds(found["timeout_s"])}


def seconds(milliseconds: str) -> str:
    """Return milliseconds in seconds; what is no number stays, to be refused by name."""
    try:
        return str(float(milliseconds) / 1000) if milliseconds else ""
    except ValueError:
        return milliseconds


def pairs(text: str) -> dict[str, str]:
    """Return `name=value,name=value` as a dictionary.

    >>> pairs("a=1, b=two%20words")
    {'a': '1', 'b': 'two words'}
    """
    parts = (part.partition("=") for part in text.split(",") if "=" in part)
    return {name.strip(): unquote(value.strip()) for name, _, value in parts}


def are_pairs(text: str) -> bool:
    """Tell whether *text* is what `pairs` reads; nothing is no pair and no mistake.

    >>> are_pairs("a=1, b=two,"), are_pairs("a=1, b"), are_pairs("=1")
    (True, False, False)
    """
    return all(not part.strip() or (part.partition("=")[1] and part.partition("=")[0].strip()) for part in text.split(","))


def place(endpoint: str) -> str:
    """Return where *endpoint* is, without credentials and whatever else may be secret in it.

    >>> place("https://me:secret@otel.example:4318/v1?key=secret"), place("me:secret@collector:4317"), place("http://[")
    ('https://otel.example:4318/v1', 'collector:4317', 'unreadable')
    """
    try:
        parts = urlsplit(endpoint if "//" in endpoint else f"//{endpoint}")
    except ValueError:
        return "unreadable"
    return f"{parts.scheme}{'://' if parts.scheme else ''}{parts.netloc.rpartition('@')[2]}{parts.path}"
