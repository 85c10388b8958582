"""Settings under the names that OpenTelemetry gives them, where ours are not set."""

from collections.abc import Mapping
from urllib.parse import unquote

OTLP = "OTEL_EXPORTER_OTLP_"
WORDS = {
    "otlp_endpoint": "ENDPOINT",
    "otlp_protocol": "PROTOCOL",
    "otlp_headers": "HEADERS",
    "otlp_timeout_s": "TIMEOUT",
    "otlp_compression": "COMPRESSION",
    "otlp_certificate": "CERTIFICATE",
}
"""Each also with METRICS_ before it, which goes first."""
OTHERS = {"otlp_interval_s": "OTEL_METRIC_EXPORT_INTERVAL", "otlp_attributes": "OTEL_RESOURCE_ATTRIBUTES"}
AGGREGATION = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"
AGGREGATIONS = {"explicit_bucket_histogram": "explicit", "base2_exponential_bucket_histogram": "exponential"}
PATH = "v1/metrics"


def conventional(environment: Mapping[str, str]) -> dict[str, str]:
    """Return our settings from the names of OpenTelemetry; its times are in milliseconds, and an empty value is none.

    >>> conventional({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_EXPORTER_OTLP_TIMEOUT": "5000"})
    {'otlp_endpoint': 'http://collector:4318/v1/metrics', 'otlp_timeout_s': '5.0'}
    >>> conventional({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_SDK_DISABLED": "true"})
    {}
    """
    off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or environment.get("OTEL_METRICS_EXPORTER") == "none"
    found = {ours: environment.get(f"{OTLP}METRICS_{word}") or environment.get(OTLP + word, "") for ours, word in WORDS.items()}
    found |= {ours: environment.get(word, "") for ours, word in OTHERS.items()}
    found["otlp_histograms"] = AGGREGATIONS.get(environment.get(AGGREGATION, ""), "")
    if off:
        return {}
    for span in ("otlp_timeout_s", "otlp_interval_s"):
        found[span] = seconds(found[span])
    by_http = found["otlp_protocol"] != "grpc"
    if found["otlp_endpoint"] and by_http and not environment.get(f"{OTLP}METRICS_ENDPOINT"):
        found["otlp_endpoint"] = f"{found['otlp_endpoint'].rstrip('/')}/{PATH}"
    if name := environment.get("OTEL_SERVICE_NAME"):
        found["otlp_attributes"] = ",".join(filter(None, (found["otlp_attributes"], f"service.name={name}")))
    return {ours: value for ours, value in found.items() if value}


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
