"""Names, ports, selectors and images in the manifests agree with each other and with the code."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from api import names
from api.types import CollectorKind
from tests.architecture.tree import pyproject
from tests.manifests.kustomize import OVERLAYS, ROOT
from tests.manifests.rendered_objects import containers, named, of_kind, overlay, pods, selects
from webhook.model.config import Config, parse_config

STANDALONE = overlay("standalone")
WITH_DATABASE = [name for name in OVERLAYS if name != "with-katib"]


@pytest.fixture(params=OVERLAYS)
def rendered(request: pytest.FixtureRequest) -> tuple[dict[str, Any], ...]:
    return overlay(request.param)


def test_the_names_are_those_that_programs_share() -> None:
    assert named(STANDALONE, "Namespace", names.CORE_NAMESPACE)
    assert named(STANDALONE, "Service", names.DB_MANAGER_SERVICE)
    for kind in ("Deployment", "Service", "ServiceAccount"):
        for name in (names.OWN_CONTROLLER, names.OWN_SUGGESTION, names.OWN_WEBHOOK):
            assert named(STANDALONE, kind, name)
    assert named(STANDALONE, "MutatingWebhookConfiguration", names.OWN_WEBHOOK)
    assert named(STANDALONE, "Secret", names.OWN_WEBHOOK_SECRET)
    config = named(STANDALONE, "ConfigMap", names.CONFIG_MAP)
    assert list(config["data"]) == [names.CONFIG_MAP_KEY]


@pytest.mark.parametrize("name", WITH_DATABASE)
def test_the_namespace_is_open_to_katibs_examples(name: str) -> None:
    namespace = named(overlay(name), "Namespace", names.CORE_NAMESPACE)

    assert namespace["metadata"]["labels"][names.INJECTION_LABEL] == names.INJECTION_ENABLED


def test_everything_is_in_the_one_namespace(rendered: tuple[dict[str, Any], ...]) -> None:
    cluster_wide = {
        *("ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition"),
        *("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"),
        *("Namespace", "PriorityClass"),
    }

    for o in rendered:
        wanted = None if o["kind"] in cluster_wide else names.CORE_NAMESPACE
        assert o["metadata"].get("namespace") == wanted, o["metadata"]["name"]


def test_everything_says_whose_part_it_is(rendered: tuple[dict[str, Any], ...]) -> None:
    for o in rendered:
        assert o["metadata"]["labels"]["app.kubernetes.io/part-of"] == "trialwatch"


def test_the_ports_are_those_of_the_programs() -> None:
    services = {
        o["metadata"]["name"]: {p["port"]: p["targetPort"] for p in o["spec"]["ports"]}
        for o in of_kind(STANDALONE, "Service")
    }
    ports = {
        name: {p["name"]: p["containerPort"] for p in container["ports"]}
        for name, container in containers(STANDALONE).items()
    }

    assert services == {
        names.OWN_CONTROLLER: {names.METRICS_PORT: "metrics"},
        names.DB_MANAGER_SERVICE: {
            names.DB_MANAGER_PORT: "api",
            names.DB_MANAGER_TLS_PORT: "api-tls",
        },
        # One program behind both of Katib's ports.
        names.OWN_SUGGESTION: {
            names.SUGGESTION_PORT: "suggestion-api",
            names.EARLY_STOPPING_PORT: "suggestion-api",
        },
        names.OWN_WEBHOOK: {names.WEBHOOK_SERVICE_PORT: "https"},
    }
    assert ports[names.DB_MANAGER_SERVICE]["api"] == names.DB_MANAGER_PORT
    assert ports[names.DB_MANAGER_SERVICE]["api-tls"] == names.DB_MANAGER_TLS_PORT
    assert ports[names.DB_MANAGER_SERVICE]["metrics"] == names.METRICS_PORT
    assert ports[names.OWN_CONTROLLER]["metrics"] == names.METRICS_PORT
    assert ports[names.OWN_SUGGESTION]["suggestion-api"] == names.SUGGESTION_PORT
    assert ports[names.OWN_WEBHOOK]["https"] == names.WEBHOOK_PORT


def test_every_port_that_is_named_is_a_containers(rendered: tuple[dict[str, Any], ...]) -> None:
    for name, container in containers(rendered).items():
        known = {p["name"] for p in container["ports"]}
        numbers = {p["containerPort"] for p in container["ports"]}
        probes = [container[p] for p in ("startupProbe", "readinessProbe", "livenessProbe")]
        for probe in probes:
            for way in ("tcpSocket", "httpGet"):
                if way in probe:
                    assert probe[way]["port"] in known
            assert probe.get("grpc", {}).get("port") in {None, *numbers}
        if "metrics" in known:
            annotations = pods(rendered)[name]["metadata"]["annotations"]
            assert int(annotations["prometheus.io/port"]) in numbers
    for o in of_kind(rendered, "NetworkPolicy"):
        (container,) = (
            containers(rendered)[name]
            for name, pod in pods(rendered).items()
            if selects(o["spec"]["podSelector"], pod["metadata"]["labels"])
        )
        open_ports = {p["port"] for rule in o["spec"]["ingress"] for p in rule["ports"]}
        assert open_ports == {p["containerPort"] for p in container["ports"]}


def test_each_selector_selects_the_pods_of_one_deployment(
    rendered: tuple[dict[str, Any], ...],
) -> None:
    labels = {name: pod["metadata"]["labels"] for name, pod in pods(rendered).items()}
    selectors = [
        *(o["spec"]["selector"] for o in of_kind(rendered, "Deployment")),
        *({"matchLabels": o["spec"]["selector"]} for o in of_kind(rendered, "Service")),
        *(o["spec"]["selector"] for o in of_kind(rendered, "PodDisruptionBudget")),
        *(o["spec"]["podSelector"] for o in of_kind(rendered, "NetworkPolicy")),
    ]

    for selector in selectors:
        assert len([name for name, own in labels.items() if selects(selector, own)]) == 1, selector


def test_what_a_pod_needs_is_there(rendered: tuple[dict[str, Any], ...]) -> None:
    for pod in pods(rendered).values():
        assert named(rendered, "ServiceAccount", pod["spec"]["serviceAccountName"])
        (container,) = pod["spec"]["containers"]
        volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
        assert volumes.keys() == {mount["name"] for mount in container["volumeMounts"]}
        for volume in volumes.values():
            if "persistentVolumeClaim" in volume:
                claim = volume["persistentVolumeClaim"]["claimName"]
                assert named(rendered, "PersistentVolumeClaim", claim)
        if "priorityClassName" in pod["spec"]:
            assert named(rendered, "PriorityClass", pod["spec"]["priorityClassName"])


def test_who_is_bound_is_there_and_what_he_may(rendered: tuple[dict[str, Any], ...]) -> None:
    for kind, of in (("RoleBinding", "Role"), ("ClusterRoleBinding", "ClusterRole")):
        for binding in of_kind(rendered, kind):
            assert named(rendered, of, binding["roleRef"]["name"])
            assert binding["roleRef"]["kind"] == of
            for subject in binding["subjects"]:
                account = named(rendered, subject["kind"], subject["name"])
                assert subject["namespace"] == account["metadata"]["namespace"]


def test_the_images_are_those_of_the_dockerfiles() -> None:
    version = pyproject()["project"]["version"]
    built = {
        re.search(r"-t (trialwatch/\S+)", path.read_text())[1]  # type: ignore[index]
        for path in sorted(ROOT.glob("Dockerfile.*"))
    }
    used = {container["image"] for container in containers(STANDALONE).values()}
    collectors = parse_config(config_text("standalone")).collectors
    used |= {collector.image for collector in collectors.values()}

    assert used <= {f"{image}:{version}" for image in built}
    assert len(used) == 5


def config_text(name: str) -> str:
    return str(named(overlay(name), "ConfigMap", names.CONFIG_MAP)["data"][names.CONFIG_MAP_KEY])


def test_the_settings_are_those_that_hold_without_any() -> None:
    config = parse_config(config_text("standalone"))
    none: frozenset[str] = frozenset()
    assert {*config.suggestions} == {*config.deployed_searches} == {"pbt"}
    assert replace(config, suggestions=none, deployed_searches=none) == Config()
    assert parse_config(config_text("standalone")).collectors.keys() == {
        CollectorKind.STDOUT,
        CollectorKind.FILE,
        CollectorKind.TENSORFLOW_EVENT,
    }


def test_the_settings_have_katibs_form() -> None:
    settings = yaml.safe_load(config_text("standalone"))

    assert settings["apiVersion"] == names.CONFIG_API_VERSION
    assert settings["kind"] == names.CONFIG_KIND


def test_the_database_is_on_its_volume() -> None:
    container = containers(STANDALONE)[names.DB_MANAGER_SERVICE]
    (database,) = (word for word in container["args"] if word.startswith("--database="))
    mounts = [Path(mount["mountPath"]) for mount in container["volumeMounts"]]

    assert Path(database.removeprefix("--database=sqlite:///")).parent in mounts


def test_two_writers_never_have_the_same_sqlite_file() -> None:
    deployment = named(STANDALONE, "Deployment", names.DB_MANAGER_SERVICE)["spec"]

    assert deployment["replicas"] == 1
    assert deployment["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize("name", [names.OWN_CONTROLLER, names.OWN_SUGGESTION, names.OWN_WEBHOOK])
def test_a_node_that_is_drained_never_takes_the_last_one(name: str) -> None:
    budget = named(STANDALONE, "PodDisruptionBudget", name)["spec"]
    replicas = named(STANDALONE, "Deployment", name)["spec"]["replicas"]

    assert 0 < budget["minAvailable"] < replicas
