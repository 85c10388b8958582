"""Settings: read once, refused by name, printed without secrets."""

from pathlib import Path

import pytest

from service.settings import MASK, SettingRefused, Settings, masked


def test_every_setting_has_a_default() -> None:
    assert Settings.read({}) == Settings()


def test_a_variable_of_the_environment_is_read_into_its_type() -> None:
    settings = Settings.read({"MUSTER_PORT": "9000", "MUSTER_TICK_S": "2.5", "PORT": "1"})
    assert (settings.port, settings.tick_s) == (9000, 2.5)


def test_a_choice_on_the_command_line_goes_before_the_environment() -> None:
    assert Settings.read({"MUSTER_PORT": "9000"}, port=9001, host=None).port == 9001


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("MUSTER_PORT", "0", "a whole number from 1 to 65535"),
        ("MUSTER_PORT", "eighty", "a whole number from 1 to 65535"),
        ("MUSTER_TICK_S", "0.5", "a number from 1 to 60"),
        ("MUSTER_TICK_S", "nan", "a number from 1 to 60"),
        ("MUSTER_LOG_LEVEL", "loud", "debug or info or warning or error"),
        ("MUSTER_AUTH", "maybe", "off"),
        ("MUSTER_HOST", "0.0.0.0", "127.0.0.1, ::1 or localhost while MUSTER_AUTH=off"),
        ("MUSTER_DSN", "db:5432", "postgresql://user:password@host:port/database"),
        ("MUSTER_DIRECT_DSN", "db:5432", "postgresql://user:password@host:port/database"),
        ("MUSTER_DIRECT_DSN", "postgresql://db/muster", "empty without MUSTER_DSN, the address of the pooler"),
        ("MUSTER_POOL_MIN_CONNECTIONS", "50", "50 (MUSTER_POOL_MIN_CONNECTIONS) or more"),
    ],
)
def test_a_bad_setting_stops_the_start_with_its_name_value_and_what_is_allowed(name: str, value: str, allowed: str) -> None:
    with pytest.raises(SettingRefused) as refused:
        Settings.read({name: value})
    message = str(refused.value)
    assert allowed in message
    assert message.startswith("MUSTER_")


@pytest.mark.parametrize("signal", ["OTLP", "OTLP_TRACES"])
@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("ENDPOINT", "ftp://me:s3cret@collector:21", "http://host:port or https://host:port"),
        ("ENDPOINT", "collector:4318", "http://host:port or https://host:port"),
        ("ENDPOINT", "http://", "http://host:port or https://host:port"),
        ("HEADERS", "token=s3cret,s3cret", "name=value,name=value"),
        ("CERTIFICATE", "/nowhere/ca.pem", "a file that can be read"),
    ],
)
def test_an_export_that_could_not_begin_stops_the_start(signal: str, name: str, value: str, allowed: str) -> None:
    given = {f"MUSTER_{signal}_ENDPOINT": "https://collector:4318", f"MUSTER_{signal}_{name}": value}
    with pytest.raises(SettingRefused, match=f"MUSTER_{signal}_{name}=.* is refused; allowed: {allowed}") as refused:
        Settings.read(given)
    assert "s3cret" not in str(refused.value)


def test_a_receiver_over_grpc_needs_no_scheme() -> None:
    given = {"MUSTER_OTLP_ENDPOINT": "collector:4317", "MUSTER_OTLP_PROTOCOL": "grpc"}
    assert Settings.read(given).otlp_endpoint == "collector:4317"


def test_every_setting_has_a_line_with_its_value_and_what_it_is_for() -> None:
    lines = Settings().lines()
    assert [line.partition("=")[0] for line in lines] == [f"MUSTER_{name.upper()}" for name in Settings.__struct_fields__]
    assert all(line.partition("  # ")[2] for line in lines)


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://me:s3cret@db:5432/muster",
        "postgresql://me:p@s3cret@db/muster",
        "postgresql://me@db/muster?password=s3cret&host=/run",
        "host=db password=s3cret",
        "postgresql://[s3cret",
    ],
)
def test_no_password_is_printed(dsn: str) -> None:
    shown = masked(dsn)
    assert "s3cret" not in shown
    assert MASK in shown


def test_an_address_without_a_password_is_printed_as_it_is() -> None:
    assert masked("postgresql://me@db:5432/muster?host=/run/pg") == "postgresql://me@db:5432/muster?host=/run/pg"


def test_the_export_of_traces_is_off_until_its_endpoint_or_its_exporter_is_named(tmp_path: Path) -> None:
    certificate = tmp_path / "ca.pem"
    shared = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_EXPORTER_OTLP_HEADERS": "token=s3cret"}
    assert Settings.read(shared).otlp_traces_endpoint == ""
    asked = Settings.read({**shared, "OTEL_TRACES_EXPORTER": "otlp", "OTEL_BSP_SCHEDULE_DELAY": "1500"})
    assert (asked.otlp_traces_endpoint, asked.otlp_traces_headers) == ("http://collector:4318/v1/traces", "token=s3cret")
    assert (asked.otlp_endpoint, asked.otlp_traces_interval_s) == ("http://collector:4318/v1/metrics", 1.5)
    assert not any("s3cret" in line for line in asked.lines())
    own = {
        **shared, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://traces:4317", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc",
        "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "2500", "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION": "gzip",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "token=other", "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE": str(certificate),
    }  # fmt: skip
    certificate.touch()
    named = Settings.read(own)
    assert (named.otlp_traces_endpoint, named.otlp_traces_protocol) == ("http://traces:4317", "grpc")
    assert (named.otlp_traces_timeout_s, named.otlp_traces_compression) == (2.5, "gzip")
    assert (named.otlp_traces_headers, named.otlp_headers, named.otlp_traces_certificate) == (
        "token=other",
        "token=s3cret",
        str(certificate),
    )
    assert (named.otlp_protocol, named.otlp_timeout_s) == ("http/protobuf", 10)
    for off in ({"OTEL_TRACES_EXPORTER": "none"}, {"OTEL_SDK_DISABLED": "true"}):
        assert Settings.read({**own, **off}).otlp_traces_endpoint == ""


def test_the_export_of_metrics_is_set_by_the_names_of_opentelemetry_where_ours_are_not() -> None:
    theirs = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        "OTEL_EXPORTER_OTLP_HEADERS": "token=s3cret", "OTEL_EXPORTER_OTLP_TIMEOUT": "2500",
        "OTEL_METRIC_EXPORT_INTERVAL": "15000",
        "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": "base2_exponential_bucket_histogram",
    }  # fmt: skip
    settings = Settings.read(theirs)
    assert (settings.otlp_endpoint, settings.otlp_protocol) == ("http://collector:4317", "grpc")
    assert (settings.otlp_timeout_s, settings.otlp_interval_s, settings.otlp_histograms) == (2.5, 15, "exponential")
    assert Settings.read({**theirs, "MUSTER_OTLP_ENDPOINT": "http://other:1"}).otlp_endpoint == "http://other:1"
    assert Settings.read({}).otlp_endpoint == ""
    assert not any("s3cret" in line for line in settings.lines())
    with pytest.raises(SettingRefused, match="MUSTER_OTLP_TIMEOUT_S=soon"):
        Settings.read({"OTEL_EXPORTER_OTLP_TIMEOUT": "soon"})
