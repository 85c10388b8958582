"""The stack of ops/compose.yaml: names, paths, ports and settings that must agree with each other and with the service."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from service.settings import is_loopback
from tests.ops.files import OPS, ROOT, doors, read, require_command, require_pinned, require_settings

STACK = read("ops/compose.yaml")
SERVICES: dict[str, dict[str, Any]] = STACK["services"]
REPLICAS = {name: service for name, service in SERVICES.items() if service.get("command") == ["serve"]}
OURS = REPLICAS | {"migrate": SERVICES["migrate"]}


def mounts(name: str) -> dict[str, str]:
    """Return where each mount of a service comes from, by its place inside."""
    pairs = [volume.removesuffix(":ro").split(":") for volume in SERVICES[name].get("volumes", ())]
    return {target: source for source, target in pairs}


def host_of(place: str) -> str:
    """Return the service that holds the network of the name *place*."""
    return str(SERVICES[place].get("network_mode", f"service:{place}")).removeprefix("service:")


def published(name: str) -> dict[int, int]:
    """Return the ports of a service by those of this machine."""
    ports = [port.split(":") for port in SERVICES[name].get("ports", ())]
    assert {address for address, _, _ in ports} <= {"127.0.0.1"}
    return {int(outside): int(inside) for _, outside, inside in ports}


def test_every_image_is_pinned() -> None:
    require_pinned(service["image"] for service in SERVICES.values())


@pytest.mark.parametrize("name", SERVICES)
def test_every_mount_is_there_and_every_volume_declared(name: str) -> None:
    for source in mounts(name).values():
        if source.startswith("."):
            assert (OPS / source).exists(), source
        else:
            assert source in STACK["volumes"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_limits_loopback_ports_and_known_dependencies(name: str) -> None:
    service = SERVICES[name]
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
    assert set(service.get("depends_on", ())) <= set(SERVICES)
    assert set(service.get("networks", ())) <= set(STACK["networks"])
    assert ("networks" in service) != ("network_mode" in service)
    published(name)


def test_only_listed_services_lack_a_health_check() -> None:
    unasked = {name for name, service in SERVICES.items() if "test" not in service.get("healthcheck", {})}
    assert unasked == {"migrate", "muster", "collector"}


def test_replicas_listen_on_the_loopback_of_one_namespace_each_on_a_port_of_its_own() -> None:
    assert len(REPLICAS) == 2
    settings = {name: require_settings(service["environment"]) for name, service in REPLICAS.items()}
    assert all(is_loopback(one.host) for one in settings.values())
    assert {host_of(name) for name in (*REPLICAS, "gate")} == {"muster"}
    ports = {one.port for one in settings.values()}
    assert len(ports) == 2
    text = (OPS / "gate/nginx.conf").read_text(encoding="utf-8")
    assert {int(port) for port in re.findall(r"^ +server 127\.0\.0\.1:(\d+)", text, re.MULTILINE)} == ports
    behind = doors("ops/gate/nginx.conf")
    assert set(published("muster").values()) <= set(behind)
    scraped = read("ops/prometheus/compose.yml")["scrape_configs"][0]["static_configs"][0]["targets"]
    numbers = [behind[int(target.partition(":")[2])] for target in scraped]
    assert {target.partition(":")[0] for target in scraped} == {"muster"}
    assert {int(port) for body in numbers for port in re.findall(r"proxy_pass http://127\.0\.0\.1:(\d+)", body)} == ports
    assert all("location = /metrics" in body and "return 404" in body for body in numbers)


@pytest.mark.parametrize("name", OURS)
def test_commands_and_settings_are_those_of_muster(name: str) -> None:
    require_command(OURS[name]["command"])
    dsn = urlsplit(require_settings(OURS[name]["environment"]).dsn)
    assert dsn.hostname in SERVICES
    assert dsn.password is None
    roles = (OPS / "postgres/roles.sql").read_text(encoding="utf-8")
    assert f"CREATE ROLE {dsn.username} LOGIN" in roles
    assert f"\\set database {dsn.path[1:]}\n" in roles


def test_no_secret_is_in_the_file_and_every_one_is_in_the_example() -> None:
    secrets = {
        str(value) for one in SERVICES.values() for name, value in one.get("environment", {}).items() if "PASSWORD" in name
    }
    names = {re.fullmatch(r"\$\{(\w+):\?.+\}", secret) for secret in secrets}
    assert None not in names
    lines = (OPS / "compose.env.example").read_text(encoding="utf-8").splitlines()
    given = dict(line.split("=") for line in lines if not line.startswith("#"))
    assert set(given) == {found[1] for found in names if found}
    assert set(given.values()) == {""}


def test_grafana_finds_provisioning_dashboards_and_prometheus() -> None:
    inside = mounts("grafana")
    assert (OPS / inside["/etc/grafana/provisioning"]).resolve() == ROOT / "grafana/provisioning"
    (provider,) = read("grafana/provisioning/dashboards/muster.yml")["providers"]
    assert (OPS / inside[provider["options"]["path"]]).resolve() == ROOT / "grafana/dashboards"
    (source,) = read("grafana/provisioning/datasources/prometheus.yml")["datasources"]
    url = urlsplit(source["url"])
    assert url.hostname in SERVICES
    assert set(SERVICES[url.hostname]["networks"]) & set(SERVICES["grafana"]["networks"])
    assert url.port in published(url.hostname).values()
    cockpit = urlsplit(source["jsonData"]["exemplarTraceIdDestinations"][0]["url"].partition("/events")[0])
    assert cockpit.hostname == "127.0.0.1"
    assert cockpit.port in published("muster")


def test_exports_of_all_replicas_reach_the_collector() -> None:
    receivers = read("ops/otel/collector.yaml")["receivers"]["otlp"]["protocols"]
    for service in REPLICAS.values():
        environment = service["environment"]
        endpoint = urlsplit(environment["OTEL_EXPORTER_OTLP_ENDPOINT"])
        assert endpoint.hostname == "collector"
        protocol = environment["OTEL_EXPORTER_OTLP_PROTOCOL"].partition("/")[0]
        assert receivers[protocol]["endpoint"] == f"0.0.0.0:{endpoint.port}"


def test_every_program_reads_its_mounted_file() -> None:
    for name in ("prometheus", "alertmanager", "collector"):
        (config,) = [word.partition("=")[2] for word in SERVICES[name]["command"] if word.startswith("--config")]
        assert config in mounts(name)
    rules = [str(Path("/etc/prometheus") / rule) for rule in read("ops/prometheus/compose.yml")["rule_files"]]
    assert set(rules) < set(mounts("prometheus"))
    assert set(re.findall(r"include (\S+);", (OPS / "gate/nginx.conf").read_text("utf-8"))) < set(mounts("gate"))


def test_collector_pipelines_use_declared_components() -> None:
    collector = read("ops/otel/collector.yaml")
    assert set(collector["service"]["pipelines"]) == {"metrics", "traces"}
    for pipeline in collector["service"]["pipelines"].values():
        for kind, names in pipeline.items():
            assert set(names) <= set(collector[kind])
    assert set(collector["service"]["extensions"]) == set(collector["extensions"])
