"""The objects of ops/kubernetes: what they name is there, and a pod's gate and Muster agree."""

import re
import subprocess

from service.settings import is_loopback
from tests.ops.files import OPS, documents, doors, read, require_command, require_pinned, require_settings

FOLDER = OPS / "kubernetes"
OBJECTS = {path.name: documents(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.yaml")}
POD = read("ops/kubernetes/deployment.yaml")["spec"]["template"]
(MUSTER,) = POD["spec"]["containers"]
(GATE,) = POD["spec"]["initContainers"]
(MIGRATE,) = read("ops/kubernetes/migrate.yaml")["spec"]["template"]["spec"]["containers"]


def given(container: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    """Return the environment of a container; what comes from a secret stands as an address."""
    return {one["name"]: one.get("value", "postgresql://somebody@there/muster") for one in container["env"]}


def test_images_are_pinned_and_commands_and_settings_are_those_of_muster() -> None:
    require_pinned(container["image"] for container in (MUSTER, GATE, MIGRATE))
    for container in (MUSTER, MIGRATE):
        require_command(container["args"])
        assert is_loopback(require_settings(given(container)).host)
        secret = [one["name"] for one in container["env"] if "value" not in one]
        assert secret == ["MUSTER_DSN", "PGPASSWORD"]


def test_the_gate_of_a_pod_leads_to_muster_as_the_gate_of_compose_does() -> None:
    text = (FOLDER / "gate.conf").read_text(encoding="utf-8")
    assert f"server 127.0.0.1:{require_settings(given(MUSTER)).port} " in text
    router = (OPS / "gate/road.conf").read_text(encoding="utf-8").splitlines()
    missing = [road for road in router if not road.startswith(("#", "proxy_next_upstream")) and road not in text]
    assert missing == []


def test_every_client_uses_a_port_of_the_gateway() -> None:
    open_at = {port["name"]: port["containerPort"] for port in GATE["ports"]}
    behind = doors("ops/kubernetes/gate.conf")
    assert set(open_at.values()) == set(behind)
    service, budget = OBJECTS["service.yaml"]
    asked = {port["targetPort"] for port in service["spec"]["ports"]}
    asked |= {end["port"] for end in read("ops/kubernetes/monitor.yaml")["spec"]["podMetricsEndpoints"]}
    asked |= {port["port"] for rule in read("ops/kubernetes/policy.yaml")["spec"]["ingress"] for port in rule["ports"]}
    assert asked <= set(open_at)
    for probe in ("startupProbe", "readinessProbe"):
        request = MUSTER[probe]["httpGet"]
        assert f"location = {request['path']} " in behind[request["port"]]
    labels = POD["metadata"]["labels"].items()
    assert service["spec"]["selector"].items() <= labels
    assert budget["spec"]["selector"]["matchLabels"].items() <= labels


def test_the_kustomization_names_files_and_makes_what_the_pod_mounts() -> None:
    whole = read("ops/kubernetes/kustomization.yaml")
    assert {name for name in OBJECTS if name not in whole["resources"]} == {"kustomization.yaml", "migrate.yaml"}
    (made,) = whole["configMapGenerator"]
    key, _, file = made["files"][0].partition("=")
    assert (FOLDER / file).exists()
    volumes = {volume["name"]: volume for volume in POD["spec"]["volumes"]}
    assert volumes["gate"]["configMap"]["name"] == made["name"]
    assert GATE["volumeMounts"][0]["subPath"] == key


def test_a_stopping_replica_gets_the_time_it_asks_for() -> None:
    settings = require_settings(given(MUSTER))
    assert settings.settle_s + settings.drain_timeout_s < POD["spec"]["terminationGracePeriodSeconds"]


def test_the_rules_of_the_operator_are_our_rules() -> None:
    printed = subprocess.run(["bash", FOLDER / "rules.sh"], capture_output=True, text=True, check=True, timeout=60).stdout
    objects = documents(printed)
    assert [one["spec"] for one in objects] == [read(f"ops/prometheus/muster.{kind}.yml") for kind in ("rules", "alerts")]
    assert {one["kind"] for one in objects} == {"PrometheusRule"}
    assert re.fullmatch(r"(muster-\w+ ?)+", " ".join(one["metadata"]["name"] for one in objects))
