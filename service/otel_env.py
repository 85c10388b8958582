"""Reads the `OTEL_*` variables of OpenTelemetry's specification as settings of Muster; a `MUSTER_*` variable wins over them.

Source: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ and, for the exporter,
https://opentelemetry.io/docs/specs/otel/protocol/exporter/
"""

from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

OTLP = "OTEL_EXPORTER_OTLP_"
VARIABLES = {
    "endpoint": "ENDPOINT",
    "protocol": "PROTOCOL",
    "headers": "HEADERS",
    "timeout_s": "TIMEOUT",
    "compression": "COMPRESSION",
    "certificate": "CERTIFICATE",
}
"""Setting → suffix of its variable; the variable with METRICS_ or TRACES_ before the suffix wins over the general one."""
AGGREGATION = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"
AGGREGATIONS = {"explicit_bucket_histogram": "explicit", "base2_exponential_bucket_histogram": "exponential"}


def otel_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that *environment* gives under the names of OpenTelemetry.

    Its times are in milliseconds, ours in seconds. An empty variable counts as unset, as the specification demands.

    >>> otel_settings({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_EXPORTER_OTLP_TIMEOUT": "5000"})
    {'otlp_endpoint': 'http://collector:4318/v1/metrics', 'otlp_timeout_s': '5.0'}
    >>> otel_settings({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"})
    {'otlp_traces_endpoint': 'http://collector:4318/v1/traces'}
    >>> otel_settings({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_SDK_DISABLED": "true"})
    {}
    """
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return {}
    settings = metrics_settings(environment) | traces_settings(environment)
    name, attributes = environment.get("OTEL_SERVICE_NAME"), environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    settings["otlp_attributes"] = ",".join(filter(None, (attributes, f"service.name={name}" if name else "")))
    return {name: value for name, value in settings.items() if value}


def metrics_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of the metrics export, which starts as soon as any endpoint is set."""
    if environment.get("OTEL_METRICS_EXPORTER") == "none":
        return {}
    settings = {f"otlp_{name}": value for name, value in signal_settings("METRICS", environment).items()}
    settings["otlp_interval_s"] = seconds(environment.get("OTEL_METRIC_EXPORT_INTERVAL", ""))
    return settings | {"otlp_histograms": AGGREGATIONS.get(environment.get(AGGREGATION, ""), "")}


def traces_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of the trace export, which needs an endpoint of its own or `OTEL_TRACES_EXPORTER=otlp` to start."""
    # A general endpoint alone does not start it: it is usually set for metrics, and traces send a span for every attempt.
    exporter = environment.get("OTEL_TRACES_EXPORTER")
    if "otlp" not in exporter.split(",") if exporter else not environment.get(f"{OTLP}TRACES_ENDPOINT"):
        return {}
    settings = {f"otlp_traces_{name}": value for name, value in signal_settings("TRACES", environment).items()}
    return settings | {"otlp_traces_interval_s": seconds(environment.get("OTEL_BSP_SCHEDULE_DELAY", ""))}


def signal_settings(signal: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return how *signal* is sent; over HTTP, the general endpoint gets the path `/v1/<signal>`."""
    settings = {
        name: environment.get(f"{OTLP}{signal}_{suffix}") or environment.get(OTLP + suffix, "")
        for name, suffix in VARIABLES.items()
    }
    if settings["endpoint"] and settings["protocol"] != "grpc" and not environment.get(f"{OTLP}{signal}_ENDPOINT"):
        settings["endpoint"] = f"{settings['endpoint'].rstrip('/')}/v1/{signal.lower()}"
    return settings | {"timeout_s": seconds(settings["timeout_s"])}


def seconds(milliseconds: str) -> str:
    """Return milliseconds as seconds; a text that is not a number stays, so that the check of the setting refuses it by name."""
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
    """Tell whether `pairs` can read all of *text*; an empty part is ignored.

    >>> are_pairs("a=1, b=two,"), are_pairs("a=1, b"), are_pairs("=1")
    (True, False, False)
    """
    return all(not part.strip() or (part.partition("=")[1] and part.partition("=")[0].strip()) for part in text.split(","))


def public_address(endpoint: str) -> str:
    """Return *endpoint* without credentials and query, which may hold secrets.

    >>> public_address("https://me:secret@otel.example:4318/v1?key=secret"), public_address("me:secret@collector:4317"), public_address("http://[")
    ('https://otel.example:4318/v1', 'collector:4317', 'unreadable')
    """
    try:
        parts = urlsplit(endpoint if "//" in endpoint else f"//{endpoint}")
    except ValueError:
        return "unreadable"
    return f"{parts.scheme}{'://' if parts.scheme else ''}{parts.netloc.rpartition('@')[2]}{parts.path}"
