"""katib-config, trialwatch's own section, and the environment of Katib's controller."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from api.errors import SetupError
from api.installation.containers import PullPolicy, Resources
from api.installation.stores import db_manager_of
from api.sidecar_values import LogLevel
from api.types import CollectorKind
from webhook.model.config import COLLECTOR_IMAGE, Config, SidecarMode, parse_config

# Katib's own file, shortened: parts for other programs are ignored.
KATIBS = """
apiVersion: config.kubeflow.org/v1beta1
kind: KatibConfig
init:
  controller:
    webhookPort: 8443
    trialResources: [Job.v1.batch, PyTorchJob.v1.kubeflow.org]
    injectSecurityContext: true
  certGenerator: {enable: true}
runtime:
  metricsCollectors:
    - kind: StdOut
      image: example/first:1
    - kind: StdOut
      image: " example/second:2 "
      imagePullPolicy: Sometimes
      waitAllProcesses: false
      resources: {limits: {memory: 1Gi, cpu: 2}, requests: {ephemeral-storage: -1}}
    - kind: TensorFlowEvent
      image: example/events:1
      imagePullPolicy: Always
  suggestions:
    - {algorithmName: random, image: "example/random:1", persistentVolumeSpec: {a: [b]}}
  earlyStoppings:
    - {algorithmName: medianstop, image: "example/median:1"}
"""


def test_the_shipped_config_of_katib_is_read_as_it_is() -> None:
    config = parse_config(KATIBS)

    assert config.inject_security_context
    assert config.collectors.keys() == {CollectorKind.STDOUT, CollectorKind.TENSORFLOW_EVENT}
    stdout = config.collectors[CollectorKind.STDOUT]
    assert stdout.image == "example/second:2", "of two entries for a kind the last one counts"
    assert stdout.pull_policy is PullPolicy.IF_NOT_PRESENT
    assert stdout.wait_all is False
    assert stdout.resources == Resources(
        requests={"ephemeral-storage": "-1"}, limits={"memory": "1Gi", "cpu": "2"}
    )
    events = config.collectors[CollectorKind.TENSORFLOW_EVENT]
    assert events.pull_policy is PullPolicy.ALWAYS
    assert events.wait_all is None


@pytest.mark.parametrize("text", ["", "kind: KatibConfig", "runtime: {}", "init: {}"])
def test_a_setting_that_is_left_out_has_its_default(text: str) -> None:
    assert parse_config(text) == Config()


def test_the_default_image_has_the_version_of_this_repository() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]

    assert COLLECTOR_IMAGE.rpartition(":")[2] == project["version"]


def test_the_own_section_may_be_in_katib_config_or_in_a_key_of_its_own() -> None:
    own = "{sidecar: container, drainSeconds: 0, runAsUser: null, echo: false, logLevel: info, dbManagerAddress: 'a:1'}"
    wanted = Config(
        sidecar=SidecarMode.CONTAINER,
        drain_seconds=0,
        run_as_user=None,
        echo=False,
        log_level=LogLevel.INFO,
        db_manager="a:1",
    )
    config_map = (
        f"kind: ConfigMap\ndata:\n  katib-config.yaml: '{{}}'\n  trialwatch.yaml: |\n    {own}\n"
    )

    assert parse_config(f"trialwatch: {own}") == wanted
    assert parse_config("", own) == wanted
    assert parse_config(config_map) == wanted


def test_a_setting_of_the_own_section_wins_over_the_environment() -> None:
    environment = {"KATIB_CORE_NAMESPACE": "tuning"}

    assert parse_config("", environment=environment).db_manager == "katib-db-manager.tuning:6789"
    own = "dbManagerAddress: 'db:1'"
    assert parse_config("", own, environment=environment).db_manager == "db:1"


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({}, "katib-db-manager.kubeflow:6789"),
        ({"KATIB_CORE_NAMESPACE": "a"}, "katib-db-manager.a:6789"),
        (
            {"KATIB_CORE_NAMESPACE": "a", "KATIB_DB_MANAGER_SERVICE_NAMESPACE": "b"},
            "katib-db-manager.b:6789",
        ),
        ({"KATIB_DB_MANAGER_SERVICE_NAMESPACE": ""}, "katib-db-manager:6789"),
        (
            {"KATIB_DB_MANAGER_SERVICE_IP": "10.0.0.1", "KATIB_DB_MANAGER_SERVICE_PORT": "7"},
            "10.0.0.1.kubeflow:7",
        ),
    ],
)
def test_the_db_managers_address_is_made_as_katib_makes_it(
    environment: dict[str, str], address: str
) -> None:
    assert db_manager_of(environment) == address


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "is not valid YAML"),
        ("{}\n---\n{}\n---\na: b", "several documents"),
        (
            "kind: ConfigMap\ndata: {x: y}",
            "data: Required value: must have the key katib-config.yaml",
        ),
        ("runtime: 7", "runtime: Invalid value: 7"),
        ("runtime: {metricsCollectors: {kind: File}}", "runtime.metricsCollectors: Invalid value"),
        ("runtime: {metricsCollectors: [{kind: Stdout}]}", 'did you mean "StdOut"?'),
        (
            "runtime: {metricsCollectors: [{kind: File, resources: {limits: {cpu: much}}}]}",
            'runtime.metricsCollectors[0].resources.limits.cpu: Invalid value: "much": "much" is not a quantity',
        ),
        ("trialwatch: {drainSecond: 3}", 'did you mean "drainSeconds"?'),
        ("trialwatch: {drainSeconds: -1}", "trialwatch.drainSeconds"),
        ("trialwatch: {drainSeconds: soon}", "must be a whole number"),
        ("trialwatch: {runAsUser: -5}", "must be a numeric user id"),
        ("trialwatch: {sidecar: both}", "write one of: native, container"),
        ("trialwatch: {echo: 1}", "must be true or false"),
        ("trialwatch: {logLevel: loud}", "write one of: "),
    ],
)
def test_a_setting_that_is_not_valid_is_named_with_its_path(text: str, says: str) -> None:
    with pytest.raises(SetupError) as caught:
        parse_config(text)

    assert says in str(caught.value)
    assert str(caught.value).startswith("katib-config ")


@pytest.mark.parametrize("key", ["dbManagerCA", "suggestionCA"])
def test_the_authorities_of_a_server_are_certificates_in_pem(key: str) -> None:
    pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
    lines = pem.replace("\n", "\n  ")

    config = parse_config("", f"{key}: |-\n  {lines}\n")
    assert {key: pem, "": ""} == {
        "dbManagerCA" if config.db_manager_ca else "": config.db_manager_ca,
        "suggestionCA" if config.suggestion_ca else "": config.suggestion_ca,
    }
    with pytest.raises(SetupError, match=rf"{key}: .*must be certificates in PEM"):
        parse_config(f"trialwatch: {{{key}: /etc/ca.crt}}")
