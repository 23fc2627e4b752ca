"""katib-config's services: what an entry means, what is wrong with one, where an algorithm is asked."""

from __future__ import annotations

import pytest

from api.errors import SetupError
from api.installation.service_addresses import (
    ServiceAddress,
    ServiceKind,
    own_services,
    search_address,
    stopping_address,
)
from api.installation.services import ServiceConfig, parse_services
from api.types import AlgorithmSpec, EarlyStoppingSpec, ObjectMeta, Suggestion, SuggestionSpec

SHIPPED = """
apiVersion: config.kubeflow.org/v1beta1
kind: KatibConfig
init: {controller: {trialResources: [Job.v1.batch]}, certGenerator: {enable: true}}
runtime:
  metricsCollectors: [{kind: StdOut, image: ghcr.io/kubeflow/katib/file-metrics-collector:latest}]
  suggestions:
    - algorithmName: tpe
      image: ghcr.io/kubeflow/katib/suggestion-hyperopt:latest
    - algorithmName: pbt
      image: ghcr.io/kubeflow/katib/suggestion-pbt:latest
      imagePullPolicy: Sometimes
      persistentVolumeClaimSpec: {accessModes: [ReadWriteMany], resources: {requests: {storage: 5Gi}}}
    - algorithmName: mine
      endpoint: search.team:7000
  earlyStoppings:
    - algorithmName: medianstop
      image: ghcr.io/kubeflow/katib/earlystopping-medianstop:latest
      resources: {limits: {memory: 1Gi}}
"""


def suggestion(algorithm: str = "tpe", stopping: str = "") -> Suggestion:
    return Suggestion(
        metadata=ObjectMeta(name="exp", namespace="ns"),
        spec=SuggestionSpec(
            algorithm=AlgorithmSpec(name=algorithm),
            early_stopping=EarlyStoppingSpec(name=stopping) if stopping else None,
        ),
    )


def entries(text: str) -> str:
    return f"runtime: {{suggestions: [{text}]}}"


def test_what_katib_ships_is_read_with_katibs_defaults() -> None:
    config = parse_services(SHIPPED)

    assert list(config.suggestions) == ["tpe", "pbt", "mine"]
    tpe, pbt = config.suggestions["tpe"], config.suggestions["pbt"]
    assert tpe.container == {
        "image": "ghcr.io/kubeflow/katib/suggestion-hyperopt:latest",
        "imagePullPolicy": "IfNotPresent",
        "resources": {
            "requests": {"cpu": "50m", "memory": "10Mi", "ephemeral-storage": "500Mi"},
            "limits": {"cpu": "500m", "memory": "100Mi", "ephemeral-storage": "5Gi"},
        },
    }
    assert tpe.claim == {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    }
    assert pbt.container["imagePullPolicy"] == "IfNotPresent", "a word that is none"
    assert pbt.claim == {
        "accessModes": ["ReadWriteMany"],
        "resources": {"requests": {"storage": "5Gi"}},
    }
    stop = config.early_stoppings["medianstop"]
    assert stop.container["resources"]["limits"]["memory"] == "1Gi"  # type: ignore[index,call-overload]
    assert config.grpc_probes


def test_a_container_is_handed_on_as_it_is_written() -> None:
    text = entries(
        "{algorithmName: a, image: i, name: search, command: [run], env: [{name: LR, value: v}],"
        " serviceAccountName: team, volumeMountPath: /data, ports: [{containerPort: 8080}],"
        " persistentVolumeSpec: {hostPath: {path: /x}, persistentVolumeReclaimPolicy: Retain},"
        " persistentVolumeLabels: {type: local}}"
    )
    entry = parse_services(text).suggestions["a"]

    assert {key: entry.container[key] for key in ("name", "command", "env", "ports")} == {
        "name": "search",
        "command": ["run"],
        "env": [{"name": "LR", "value": "v"}],
        "ports": [{"containerPort": 8080}],
    }
    assert "algorithmName" not in entry.container
    assert "volumeMountPath" not in entry.container
    assert (entry.service_account, entry.mount_path) == ("team", "/data")
    assert entry.volume["persistentVolumeReclaimPolicy"] == "Delete"
    assert entry.volume_labels == {"type": "local"}


def test_a_request_above_the_default_limit_raises_the_limit() -> None:
    text = entries("{algorithmName: a, image: i, resources: {requests: {memory: 2Gi}}}")

    resources = parse_services(text).suggestions["a"].container["resources"]
    assert resources["limits"]["memory"] == "2Gi"  # type: ignore[index,call-overload]


def test_a_negative_quantity_is_left_out() -> None:
    text = entries(
        "{algorithmName: a, image: i,"
        " resources: {requests: {ephemeral-storage: '-1'}, limits: {ephemeral-storage: '-1'}}}"
    )

    resources = parse_services(text).suggestions["a"].container["resources"]
    assert "ephemeral-storage" not in str(resources)


def test_of_two_entries_for_one_algorithm_the_last_counts() -> None:
    text = entries("{algorithmName: a, image: one}, {algorithmName: a, image: two}")

    assert parse_services(text).suggestions["a"].container["image"] == "two"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{image: i}", r"runtime.suggestions\[0\].algorithmName: Required value"),
        (
            "{algorithmName: a}",
            r"suggestions\[0\].image: Required value.*the endpoint \(HOST:PORT\)",
        ),
        ("{algorithmName: a, image: ' '}", r"suggestions\[0\].image: Required value"),
        ("{algorithmName: a, endpoint: nowhere}", r"suggestions\[0\].endpoint: .*HOST:PORT"),
        ("{algorithmName: a, image: i, resources: {limits: {cpu: much}}}", r"limits.cpu: .*much"),
        (
            "{algorithmName: a, image: i, resources: {requests: {cpu: 2}, limits: {cpu: 1}}}",
            r"suggestions\[0\].resources: .*\(2\) is above its limit \(1\)",
        ),
        (
            "{algorithmName: a, image: i, ports: [{containerPort: 6789}]}",
            r"ports\[0\]: .*a port with name \"suggestion-api\" or number 6789 must not",
        ),
        (
            "{algorithmName: a, image: i, ports: [{name: suggestion-api, containerPort: 1}]}",
            r"ports\[0\]: .*invalid suggestion config",
        ),
        ("{algorithmName: a, image: i, volumeMountPath: 3}", r"volumeMountPath: .*in quotes"),
    ],
)
def test_a_fault_is_reported_with_its_path(text: str, says: str) -> None:
    with pytest.raises(SetupError, match=says):
        parse_services(entries(text))


def test_all_faults_are_reported_at_once() -> None:
    with pytest.raises(SetupError) as refused:
        parse_services(
            "runtime: {suggestions: [{image: i}, {algorithmName: b}],"
            " earlyStoppings: [{algorithmName: c}]}"
        )

    assert str(refused.value).count("Required value") == 3


@pytest.mark.parametrize("text", ["runtime: 3", "a: 1\n---\nb: 2\n", "[: {"])
def test_what_is_no_katib_config_is_refused(text: str) -> None:
    with pytest.raises(SetupError, match="katib-config"):
        parse_services(text)


def test_the_config_map_around_it_is_read_too() -> None:
    body = "\n    ".join(SHIPPED.splitlines())
    text = f"kind: ConfigMap\ndata:\n  katib-config.yaml: |\n    {body}\n"

    assert parse_services(text) == parse_services(SHIPPED)


@pytest.mark.parametrize(
    ("algorithm", "place"),
    [
        ("tpe", ServiceAddress(kind=ServiceKind.DEPLOYED, address="exp-tpe.ns:6789")),
        ("mine", ServiceAddress(kind=ServiceKind.ENDPOINT, address="search.team:7000")),
        ("random", ServiceAddress(kind=ServiceKind.OWN, address="trialwatch-suggestion.core:6789")),
    ],
)
def test_an_algorithm_is_asked_where_katib_config_says(
    algorithm: str, place: ServiceAddress
) -> None:
    config, ours = parse_services(SHIPPED), own_services("core")

    assert search_address(suggestion(algorithm), config, ours) == place


@pytest.mark.parametrize(
    ("config", "address"),
    [
        (SHIPPED, "exp-random.ns:6788"),
        ("", "trialwatch-suggestion.core:6788"),
        (
            "runtime: {earlyStoppings: [{algorithmName: medianstop, image: i, endpoint: 'e:1'}]}",
            "e:1",
        ),
    ],
)
def test_early_stopping_has_a_place_of_its_own(config: str, address: str) -> None:
    item = suggestion("random", "medianstop")

    assert stopping_address(item, parse_services(config), own_services("core")).address == address


def test_without_katib_config_all_is_ours() -> None:
    config = ServiceConfig()
    assert parse_services("") == config
    assert search_address(suggestion(), config, own_services()).kind is ServiceKind.OWN
