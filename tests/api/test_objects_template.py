"""The rules of the trial template: a job can be made of it, each parameter has its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from api.errors import Fault

Judge = Callable[..., list[Fault]]
Document = dict[str, Any]
T = "spec.trialTemplate"
CONTAINER = f"{T}.trialSpec.spec.template.spec.containers[0]"


def paths(faults: list[Fault]) -> list[str]:
    """Give path and kind of each fault: `spec.trialTemplate Required`."""
    return [f"{fault.path} {fault.message.split()[0].rstrip(':')}" for fault in faults]


def template(**parts: object) -> Callable[[Document], None]:
    return lambda document: document["spec"]["trialTemplate"].update(parts)


def parameter(index: int, **parts: object) -> Callable[[Document], None]:
    return lambda document: document["spec"]["trialTemplate"]["trialParameters"][index].update(
        parts
    )


def job(**parts: object) -> Callable[[Document], None]:
    return lambda document: document["spec"]["trialTemplate"]["trialSpec"].update(parts)


def container(**parts: object) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        pod = document["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]
        pod["containers"][0].update(parts)

    return change


def pod_template(**parts: object) -> Callable[[Document], None]:
    return lambda document: document["spec"]["trialTemplate"]["trialSpec"]["spec"][
        "template"
    ].update(parts)


CONFIG_MAP = {"configMapName": "a", "configMapNamespace": "b", "templatePath": "c"}
CONDITIONS = {"successCondition": "s", "failureCondition": "f"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda document: document["spec"].pop("trialTemplate"), [f"{T} Required"]),
        (template(primaryContainerName=""), [f"{T}.primaryContainerName Required"]),
        (template(trialParameters=None), [f"{T}.trialParameters Required", f"{T} Invalid"]),
        (template(trialSpec=None), [f"{T} Required", f"{T}.TrialSource Required"]),
        (template(configMap=CONFIG_MAP), [f"{T} Required"]),
        (
            template(trialSpec=None, configMap={**CONFIG_MAP, "templatePath": ""}, **CONDITIONS),
            [f"{T}.configMap Required"],
        ),
        (template(trialSpec=None, configMap=CONFIG_MAP, **CONDITIONS), []),
        (template(trialSpec=None, configMap=CONFIG_MAP), [f"{T} Required"]),
        (parameter(1, reference=""), [f"{T}.trialParameters[1] Invalid", f"{T} Invalid"]),
        (parameter(1, name="{bad}"), [f"{T}.trialParameters[1] Invalid", f"{T} Invalid"]),
        (
            parameter(1, name="learningRate"),
            [f"{T}.trialParameters[1].name Invalid", f"{T} Invalid"],
        ),
        (
            parameter(1, reference="lr"),
            [f"{T}.trialParameters[1].reference Invalid", f"{T} Invalid"],
        ),
        (parameter(1, reference="wrong-ref"), [f"{T}.trialParameters[1].reference Invalid"]),
        (parameter(1, reference="${trialSpec.Name}"), []),
        (parameter(1, reference="${trialSpec.Annotations[a]}"), []),
        (parameter(1, reference="${trialSpec.Labels[l]}"), []),
        (
            parameter(1, reference="${trialSpec.Owner}"),
            [f"{T}.trialParameters[1].reference Invalid"],
        ),
        (
            lambda d: d["spec"]["trialTemplate"]["trialParameters"].pop(),
            [f"{T} Invalid"],
        ),
        (
            lambda d: d["spec"]["trialTemplate"]["trialParameters"].append(
                {"name": "spare", "reference": "${trialSpec.Kind}"}
            ),
            [f"{T}.trialParameters[3].name Invalid"],
        ),
        (job(metadata={"name": "mine"}), [f"{T} Invalid"]),
        (job(metadata={"namespace": "mine"}), [f"{T} Invalid"]),
        (job(metadata={"labels": {"a": "b"}}), []),
        (job(apiVersion=""), [f"{T} Required"]),
        (job(apiVersion=None), [f"{T} Required"]),
    ],
)
def test_a_template_is_complete(
    judge: Judge, change: Callable[[Document], None], expected: list[str]
) -> None:
    assert paths(judge(change)) == expected


def test_a_job_of_a_custom_kind_needs_conditions_of_its_own(judge: Judge) -> None:
    (fault,) = judge(job(kind="CustomKind"))
    assert str(fault).startswith(
        f"{T}: Required value: successCondition and failureCondition must be specified"
    )


def test_a_job_of_a_custom_kind_is_taken_as_it_is(judge: Judge) -> None:
    def change(document: Document) -> None:
        job(kind="CustomKind", spec={"containers": {"anything": ["${x}", 1]}})(document)
        template(**CONDITIONS, trialParameters=[{"name": "a", "reference": "lr"}])(document)
        document["spec"]["trialTemplate"]["trialSpec"]["a"] = "${trialParameters.a}"

    assert judge(change) == []


def test_a_job_of_another_api_is_not_read_as_ours(judge: Judge) -> None:
    def change(document: Document) -> None:
        job(apiVersion="test/v1")(document)
        pod_template(invented=1)(document)

    assert judge(change) == []


def test_a_misspelt_reference_is_met_with_the_parameter(judge: Judge) -> None:
    (fault,) = judge(parameter(1, reference="num-layer"))
    assert str(fault) == (
        f'{T}.trialParameters[1].reference: Invalid value: "num-layer": parameter reference '
        'num-layer does not exist in spec.parameters; did you mean "num-layers"?'
    )


def test_without_parameters_any_reference_is_taken(judge: Judge) -> None:
    def change(document: Document) -> None:
        document["spec"] |= {"parameters": None, "nasConfig": {}}
        parameter(1, reference="architecture")(document)

    assert judge(change) == []


def test_a_misspelt_placeholder_is_reported_at_the_parameter_and_at_the_template(
    judge: Judge,
) -> None:
    def change(document: Document) -> None:
        command = ["${trialParameters.learnRate}"]
        command += ["${trialParameters.numberLayers}", "${trialParameters.optimizer}"]
        container(command=command)(document)

    absent, left_over = judge(change)
    assert absent.path == f"{T}.trialParameters[0].name"
    assert "write ${trialParameters.learningRate} where its value belongs" in absent.message
    assert 'did you mean "learnRate"?' in absent.message
    assert left_over.path == T
    assert 'parameters: ["learnRate"]' in left_over.message
    assert 'did you mean "learningRate"?' in left_over.message


def test_a_placeholder_may_stand_in_a_key(judge: Judge) -> None:
    def change(document: Document) -> None:
        parameters = document["spec"]["trialTemplate"]["trialParameters"]
        parameters.append({"name": "key", "reference": "${trialSpec.Name}"})
        job(metadata={"labels": {"${trialParameters.key}": "x"}})(document)

    assert judge(change) == []


# -- a template in a ConfigMap --------------------------------------------------------------

TEXT = """\
apiVersion: batch/v1
kind: Job
spec:
  template:
    spec:
      containers:
        - name: training-container
          args: [${trialParameters.learningRate}, ${trialParameters.numberLayers}]
          command: ["${trialParameters.optimizer}"]
"""


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (TEXT, ""),
        (TEXT.replace("numberLayers", "layers"), "not found in spec.trialTemplate"),
        (TEXT.replace("kind: Job", "kind: [Job"), "unable to convert spec.trialTemplate"),
        (TEXT + "---\na: b\n", "it contains 2 objects instead of one"),
        (TEXT.replace("- name", "- nam"), 'unknown field; did you mean "name"?'),
    ],
)
def test_a_template_from_a_config_map_is_judged_when_it_is_there(
    judge: Judge, text: str, part: str
) -> None:
    change = template(trialSpec=None, configMap=CONFIG_MAP, **CONDITIONS)
    faults = judge(change, template_text=text)
    assert bool(faults) is bool(part)
    assert any(part in str(fault) for fault in faults) is bool(part)


# -- a Job ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (pod_template(invented={}), f"{T}.trialSpec.spec.template.invented: Invalid value"),
        (pod_template(spec={"containers": {}}), "containers: Invalid value: a mapping"),
        (pod_template(spec={"containers": []}), "containers: Required value"),
        (pod_template(spec=None), "containers: Required value"),
        (job(spec="text"), f'{T}.trialSpec.spec: Invalid value: "text": must be a mapping'),
        (container(name="trainer"), "is not a container of the Job, which has trainer"),
        (container(name=None), f"{CONTAINER}.name: Required value"),
        (container(args=["--lr", 0.1]), f"{CONTAINER}.args[1]: Invalid value: 0.1: must be a"),
        (container(args="--lr 1"), f"{CONTAINER}.args: Invalid value"),
        (container(comand=["a"]), f"{CONTAINER}.comand: Invalid value: a list of 1 item: unknown"),
        (container(env=[{"name": "A", "value": 1}]), f"{CONTAINER}.env[0].value: Invalid value: 1"),
    ],
)
def test_a_job_that_kubernetes_would_refuse_is_refused_before_its_trials(
    judge: Judge, change: Callable[[Document], None], expected: str
) -> None:
    assert any(expected in str(fault) for fault in judge(change))


@pytest.mark.parametrize(
    "change",
    [
        container(resources={"limits": {"nvidia.com/gpu": 1}, "requests": {"cpu": 0.5}}),
        container(env=[{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.x"}}}]),
        container(fieldOfTheYear2030=True),
        pod_template(metadata={"annotations": {"sidecar.istio.io/inject": "false"}}),
    ],
)
def test_a_job_may_have_what_kubernetes_takes_or_will_take(
    judge: Judge, change: Callable[[Document], None]
) -> None:
    assert judge(change) == []


def test_a_pushing_trainer_may_be_in_a_container_of_any_name(judge: Judge) -> None:
    def change(document: Document) -> None:
        document["spec"]["metricsCollectorSpec"] = {"collector": {"kind": "Push"}}
        container(name="other")(document)

    assert judge(change) == []
