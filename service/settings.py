"""The settings of one Muster: read once from the variables `MUSTER_*`, immutable afterwards."""

from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self, assert_never, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec
from msgspec import Meta, Struct

from service.otel_env import are_pairs, otel_settings, public_address

PREFIX = "MUSTER_"
MASK = "********"


class StartRefused(RuntimeError):
    """Muster does not start; the message tells the operator why, and what to do.

    StartRefused
    ├── SettingRefused   a setting is out of its bounds
    ├── PortTaken        the address cannot be listened on
    ├── FolderInUse      another Muster holds the data folder
    ├── FolderRefused    the data folder cannot be made or opened
    ├── ClusterBroken    a program of the embedded Postgres failed
    ├── SchemaRefused    the database is older or newer than this Muster
    └── DatabaseAway     the database does not answer
    """


class SettingRefused(StartRefused):
    """A setting has a value that is not allowed; the message names setting, value and what is allowed."""

    def __init__(self, field: str, value: object, allowed: str) -> None:
        super().__init__(f"{PREFIX}{field.upper()}={value!s} is refused; allowed: {allowed}")


class Settings(Struct, frozen=True, kw_only=True):
    """Everything an operator can configure; the variable of a field is `MUSTER_` and its name in capitals."""

    dsn: Annotated[str, Meta(description="address of Postgres 15 or newer; empty: embedded")] = ""
    direct_dsn: Annotated[
        str, Meta(description="address of the same Postgres itself, where MUSTER_DSN leads through a pooler; empty: it does not")
    ] = ""
    host: Annotated[str, Meta(description="address to listen on; loopback alone while auth is off")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535, description="TCP port to listen on")] = 8110
    data_dir: Annotated[str, Meta(min_length=1, description="folder of the embedded Postgres")] = ".muster"
    auth: Annotated[Literal["off"], Meta(description="who may ask; off: everyone on this machine")] = "off"
    tick_s: Annotated[float, Meta(ge=1, le=60, description="seconds between two judgements of workers by the scheduler")] = 5.0
    leader_lease_s: Annotated[float, Meta(ge=1, le=60, description="seconds without a leader at most")] = 5.0
    lag_budget_s: Annotated[float, Meta(ge=0.1, le=3600, description="seconds the views may lag before readiness fails")] = 10.0
    examine_hour: Annotated[
        int,
        Meta(
            ge=-1,
            le=23,
            description="hour of the day, UTC, at which the views are compared with a fresh fold of the log; -1: never",
        ),
    ] = 3
    settle_s: Annotated[
        float, Meta(ge=0, le=60, description="seconds between not ready and closed, for a load balancer to notice")
    ] = 0.0
    drain_timeout_s: Annotated[float, Meta(ge=0, le=600, description="seconds that open requests get when the service stops")] = (
        10.0
    )
    pool_min_connections: Annotated[int, Meta(ge=1, le=1000, description="connections kept open")] = 2
    pool_max_connections: Annotated[int, Meta(ge=2, le=1000, description="connections at most")] = 10
    body_limit_mib: Annotated[int, Meta(ge=1, le=1024, description="mebibytes of a JSON body at most")] = 16
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Meta(description="least severity that is logged")] = "info"
    log_format: Annotated[Literal["text", "json"], Meta(description="log lines for a person or, as JSON, for a machine")] = "text"

    otlp_endpoint: Annotated[
        str, Meta(description="where metrics are sent over OTLP, OTEL_EXPORTER_OTLP_ENDPOINT; empty: off")
    ] = ""
    otlp_protocol: Annotated[
        Literal["grpc", "http/protobuf"], Meta(description="protocol of the metrics export, OTEL_EXPORTER_OTLP_PROTOCOL")
    ] = "http/protobuf"
    otlp_headers: Annotated[str, Meta(description="headers, as name=value,name=value; OTEL_EXPORTER_OTLP_HEADERS")] = ""
    otlp_timeout_s: Annotated[float, Meta(ge=0.1, le=60, description="seconds of one request, OTEL_EXPORTER_OTLP_TIMEOUT")] = 10.0
    otlp_interval_s: Annotated[
        float, Meta(ge=0.1, le=3600, description="seconds between two exports, OTEL_METRIC_EXPORT_INTERVAL")
    ] = 60.0
    otlp_compression: Annotated[Literal["none", "gzip"], Meta(description="of requests, OTEL_EXPORTER_OTLP_COMPRESSION")] = "none"
    otlp_certificate: Annotated[str, Meta(description="file of trusted certificates, OTEL_EXPORTER_OTLP_CERTIFICATE")] = ""
    otlp_histograms: Annotated[
        Literal["explicit", "exponential", "both"], Meta(description="buckets of the histograms that have both kinds")
    ] = "explicit"
    otlp_attributes: Annotated[str, Meta(description="of the resource, as name=value,…; OTEL_RESOURCE_ATTRIBUTES")] = ""
    otlp_traces_endpoint: Annotated[
        str, Meta(description="where traces are sent over OTLP, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT; empty: off")
    ] = ""
    otlp_traces_protocol: Annotated[
        Literal["grpc", "http/protobuf"], Meta(description="protocol of the trace export, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
    ] = "http/protobuf"
    otlp_traces_headers: Annotated[str, Meta(description="headers, as name=value,…; OTEL_EXPORTER_OTLP_TRACES_HEADERS")] = ""
    otlp_traces_timeout_s: Annotated[
        float, Meta(ge=0.1, le=60, description="seconds of one request, OTEL_EXPORTER_OTLP_TRACES_TIMEOUT")
    ] = 10.0
    otlp_traces_interval_s: Annotated[
        float, Meta(ge=0.1, le=3600, description="seconds between two exports, OTEL_BSP_SCHEDULE_DELAY")
    ] = 5.0
    otlp_traces_compression: Annotated[
        Literal["none", "gzip"], Meta(description="of requests, OTEL_EXPORTER_OTLP_TRACES_COMPRESSION")
    ] = "none"
    otlp_traces_certificate: Annotated[
        str, Meta(description="file of trusted certificates, OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE")
    ] = ""
    commit: Annotated[str, Meta(description="revision that this Muster was built from, as shown in its metrics")] = "unknown"

    @classmethod
    def read(cls, environment: Mapping[str, str], **chosen: object) -> Self:
        """Return the settings in *environment*; a *chosen* value that is not None wins over its variable.

        Raises:
            SettingRefused: the first setting that has a value that is not allowed.

        """
        given: dict[str, Any] = {
            name: environment[key] for name in cls.__struct_fields__ if (key := PREFIX + name.upper()) in environment
        }
        given = otel_settings(environment) | given
        given |= {name: value for name, value in chosen.items() if value is not None}
        hints = get_type_hints(cls, include_extras=True)
        settings = cls(**{name: _converted(name, value, hints[name]) for name, value in given.items()})
        settings._refuse_contradictions()
        return settings

    def _refuse_contradictions(self) -> None:
        """Refuse combinations of settings, and values that a type cannot rule out."""
        for name in ("dsn", "direct_dsn"):
            if (dsn := getattr(self, name)) and not is_address(dsn):
                raise SettingRefused(name, masked(dsn), "postgresql://user:password@host:port/database")
        if self.direct_dsn and not self.dsn:
            raise SettingRefused("direct_dsn", masked(self.direct_dsn), "empty without MUSTER_DSN, the address of the pooler")
        self._refuse_open_access()
        if self.pool_max_connections < self.pool_min_connections:
            allowed = f"{self.pool_min_connections} (MUSTER_POOL_MIN_CONNECTIONS) or more"
            raise SettingRefused("pool_max_connections", self.pool_max_connections, allowed)
        for signal in ("otlp", "otlp_traces"):
            self._refuse_no_receiver(signal)

    def _refuse_open_access(self) -> None:
        """Refuse to listen where other machines can reach a service that asks nobody for credentials."""
        match self.auth:
            case "off":
                if not is_loopback(self.host):
                    raise SettingRefused("host", self.host, "127.0.0.1, ::1 or localhost while MUSTER_AUTH=off")
            case _:
                assert_never(self.auth)

    def _refuse_no_receiver(self, signal: str) -> None:
        """Refuse an export whose endpoint, headers or certificate cannot work."""
        endpoint, protocol, headers, certificate = (
            getattr(self, f"{signal}_{name}") for name in ("endpoint", "protocol", "headers", "certificate")
        )
        if not endpoint:
            return
        if not is_receiver(endpoint, bare=protocol == "grpc"):
            bare = " or host:port" if protocol == "grpc" else ""
            raise SettingRefused(f"{signal}_endpoint", public_address(endpoint), f"http://host:port or https://host:port{bare}")
        if not are_pairs(headers):
            raise SettingRefused(f"{signal}_headers", MASK, "name=value,name=value")
        if certificate and not Path(certificate).is_file():
            raise SettingRefused(f"{signal}_certificate", certificate, "a file that can be read")

    @property
    def url(self) -> str:
        """The address a browser on this machine reaches."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def with_dsn(self, dsn: str) -> Self:
        """Return these settings on another database."""
        return msgspec.structs.replace(self, dsn=dsn, direct_dsn="")

    @property
    def direct(self) -> Self:
        """These settings with the address of Postgres itself, for connections that need a session of their own."""
        return self.with_dsn(self.direct_dsn) if self.direct_dsn else self

    def environment(self) -> dict[str, str]:
        """Return the variables from which another process reads the same settings."""
        return {PREFIX + name.upper(): str(value) for name, value in msgspec.structs.asdict(self).items()}

    def masked_values(self) -> dict[str, Any]:
        """Return every setting by its name, with secrets masked."""
        # headers usually carry a token, endpoints may carry credentials
        hidden = {name: MASK if getattr(self, name) else "" for name in ("otlp_headers", "otlp_traces_headers")}
        bare = {name: public_address(getattr(self, name)) for name in ("otlp_endpoint", "otlp_traces_endpoint")}
        addresses = {name: masked(getattr(self, name)) for name in ("dsn", "direct_dsn")}
        return msgspec.structs.asdict(self) | addresses | bare | hidden

    def lines(self) -> list[str]:
        """Return one line for each setting, in the order of the fields, with secrets masked."""
        hints = get_type_hints(type(self), include_extras=True)
        values = self.masked_values()
        return [f"{PREFIX}{name.upper()}={values[name]}  # {_description(hints[name])}" for name in values]


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach *host*."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_address(dsn: str) -> bool:
    """Tell whether *dsn* is written as the address of a Postgres.

    >>> is_address("postgresql://me@db:5432/muster"), is_address("db:5432"), is_address("postgres://[db")
    (True, False, False)
    """
    try:
        return urlsplit(dsn).scheme in ("postgresql", "postgres")
    except ValueError:
        return False


def dsn_per_host(dsn: str) -> list[str]:
    """Return *dsn* once for each of its hosts.

    >>> dsn_per_host("postgresql://me@a:1,b:2/muster")
    ['postgresql://me@a:1/muster', 'postgresql://me@b:2/muster']
    >>> dsn_per_host("postgresql://me@/muster?host=/a,/b&port=1,2")
    ['postgresql://me@/muster?host=/a&port=1', 'postgresql://me@/muster?host=/b&port=2']
    """
    parts = urlsplit(dsn)
    login, at, hosts = parts.netloc.rpartition("@")
    if "," in hosts:
        return [urlunsplit(parts._replace(netloc=f"{login}{at}{host}")) for host in hosts.split(",")]
    asked = {name: value.split(",") for name, value in parse_qsl(parts.query) if name in ("host", "port")}
    count = len(asked.get("host", ()))
    if count < 2:  # noqa: PLR2004 - more than one
        return [dsn]
    others = [(name, value) for name, value in parse_qsl(parts.query) if name not in asked]
    places = [[(name, values[number % len(values)]) for name, values in asked.items()] for number in range(count)]
    return [urlunsplit(parts._replace(query=urlencode([*place, *others], safe="/"))) for place in places]


def is_receiver(endpoint: str, *, bare: bool) -> bool:
    """Tell whether *endpoint* is the address of an OTLP receiver; with *bare*, the scheme may be missing.

    >>> is_receiver("https://otel:4318", bare=False), is_receiver("otel:4317", bare=False), is_receiver("otel:4317", bare=True)
    (True, False, True)
    """
    try:
        parts = urlsplit(endpoint if "//" in endpoint or not bare else f"http://{endpoint}")
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def masked(dsn: str) -> str:
    """Return *dsn* without its password."""
    try:
        parts = urlsplit(dsn)
    except ValueError:
        return MASK
    if not parts.scheme:
        return MASK if "password" in dsn else dsn
    user, colon, _ = parts.netloc.rpartition("@")[0].partition(":")
    netloc = parts.netloc if not colon else f"{user}:{MASK}@{parts.netloc.rpartition('@')[2]}"
    query = "&".join(f"password={MASK}" if pair.startswith("password=") else pair for pair in parts.query.split("&"))
    return urlunsplit((parts.scheme, netloc, parts.path, query, parts.fragment))


def _converted(name: str, value: object, hint: Any) -> Any:  # noqa: ANN401 - a hint is any type form
    try:
        return msgspec.convert(value, hint, strict=False)
    except msgspec.ValidationError:
        shown = masked(str(value)) if name in ("dsn", "direct_dsn") else value
        raise SettingRefused(name, shown, _allowed(hint)) from None


def _allowed(hint: Any) -> str:  # noqa: ANN401 - a hint is any type form
    kind, bounds = hint.__origin__, hint.__metadata__[0]
    if get_origin(kind) is Literal:
        return " or ".join(get_args(kind))
    if bounds.ge is not None:
        noun = "a whole number" if kind is int else "a number"
        return f"{noun} from {bounds.ge} to {bounds.le}"
    return "a text that is not empty"


def _description(hint: Any) -> str:  # noqa: ANN401 - a hint is any type form
    return str(hint.__metadata__[0].description)
