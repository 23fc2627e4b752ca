"""The component of network policies: who reaches what, and what each program may call."""

from __future__ import annotations

import pytest

from api import names
from tests.manifests.kustomize import with_component
from tests.manifests.rendered_objects import Object, containers, named, of_kind, pods, selects

TRIAL = {names.TRIAL_LABEL: "mine"}
COLLECTED = {names.COLLECT_LABEL: "true"}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Object, ...]:
    return with_component(tmp_path_factory.mktemp("policies"), "network-policies")


def labels_of(rendered: tuple[Object, ...], program: str) -> dict[str, str]:
    return dict(pods(rendered)[program]["metadata"]["labels"])


def may_call(
    rendered: tuple[Object, ...], program: str, labels: dict[str, str], namespace: str
) -> set[int]:
    """Return the ports of a program that a pod with these labels reaches."""
    found = set()
    for rule in named(rendered, "NetworkPolicy", program)["spec"]["ingress"]:
        for source in rule.get("from", [{"namespaceSelector": {}}]):
            here = "namespaceSelector" in source or namespace == names.CORE_NAMESPACE
            if here and selects(source.get("podSelector"), labels):
                found |= {port["port"] for port in rule["ports"]}
    return found


@pytest.mark.parametrize("labels", [TRIAL, COLLECTED])
def test_pods_of_trials_reach_the_store(
    rendered: tuple[Object, ...], labels: dict[str, str]
) -> None:
    ports = may_call(rendered, names.DB_MANAGER_SERVICE, labels, "team")

    assert {names.DB_MANAGER_PORT, names.DB_MANAGER_TLS_PORT} <= ports


def test_other_pods_reach_metrics_alone(rendered: tuple[Object, ...]) -> None:
    for program in (names.DB_MANAGER_SERVICE, names.OWN_SUGGESTION):
        assert may_call(rendered, program, {"app": "any"}, "team") == {names.METRICS_PORT}


@pytest.mark.parametrize(
    ("caller", "called", "port"),
    [
        (names.OWN_CONTROLLER, names.DB_MANAGER_SERVICE, names.DB_MANAGER_TLS_PORT),
        (names.OWN_SUGGESTION, names.DB_MANAGER_SERVICE, names.DB_MANAGER_TLS_PORT),
        (names.OWN_CONTROLLER, names.OWN_SUGGESTION, names.SUGGESTION_PORT),
    ],
)
def test_a_program_reaches_what_it_calls(
    rendered: tuple[Object, ...], caller: str, called: str, port: int
) -> None:
    assert port in may_call(rendered, called, labels_of(rendered, caller), names.CORE_NAMESPACE)
    rules = named(rendered, "NetworkPolicy", f"{caller}-egress")["spec"]["egress"]
    assert any(
        selects(to.get("podSelector"), labels_of(rendered, called))
        and port in {one["port"] for one in rule["ports"]}
        for rule in rules
        for to in rule.get("to", [])
        if "podSelector" in to
    )


def test_a_pod_of_another_namespace_does_not_pass_as_the_controller(
    rendered: tuple[Object, ...],
) -> None:
    labels = labels_of(rendered, names.OWN_CONTROLLER)

    ports = may_call(rendered, names.DB_MANAGER_SERVICE, labels, "team")

    assert ports == {names.METRICS_PORT}


def test_each_program_asks_for_names_and_calls_the_api_server(
    rendered: tuple[Object, ...],
) -> None:
    for program in containers(rendered):
        rules = named(rendered, "NetworkPolicy", f"{program}-egress")["spec"]["egress"]
        ports = {one["port"] for rule in rules for one in rule["ports"]}
        assert {53, 443, 6443} <= ports


def test_each_policy_is_in_the_namespace_of_the_programs(rendered: tuple[Object, ...]) -> None:
    for policy in of_kind(rendered, "NetworkPolicy"):
        assert policy["metadata"]["namespace"] == names.CORE_NAMESPACE, policy["metadata"]["name"]


def test_the_webhook_never_reaches_a_clouds_metadata(rendered: tuple[Object, ...]) -> None:
    rules = named(rendered, "NetworkPolicy", f"{names.OWN_WEBHOOK}-egress")["spec"]["egress"]
    (web,) = (rule for rule in rules if "to" in rule)

    assert "169.254.0.0/16" in web["to"][0]["ipBlock"]["except"]
    assert len(of_kind(rendered, "NetworkPolicy")) == 8
