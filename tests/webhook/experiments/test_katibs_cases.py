"""The experiments of Katib's own tests of its validator, and the path of each fault.

A case where we find another place than Katib, or one more fault, says so beside it.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.webhook.experiments.experiment_documents import (
    Change,
    Document,
    collected,
    experiment,
    in_a_config_map,
    parameter,
    put,
    spec,
)
from tests.webhook.running_webhook import webhook
from webhook.server.experiment_handler import VALIDATE

TEMPLATE = "spec.trialTemplate"
JOB = "trialTemplate.trialSpec"
POD = f"{JOB}.spec.template.spec"
PLACE = "spec.metricsCollectorSpec.source.fileSystemPath"
LEFT_OVER = f"{TEMPLATE} Invalid"


def file(path: str = "/logs", kind: str = "File", **more: object) -> Change:
    place = {"path": path, "kind": kind, "format": more.pop("form", "TEXT")}
    return collected("File", fileSystemPath=place, **more)


def resources(document: Document) -> None:
    gpus = {"nvidia.com/gpu": "1"}
    container = document["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]
    container["containers"][0]["resources"] = {"limits": gpus, "requests": gpus}


def both_sources(document: Document) -> None:
    kept = document["spec"]["trialTemplate"]["trialSpec"]
    in_a_config_map()(document)
    document["spec"]["trialTemplate"]["trialSpec"] = kept


def no_parameters(document: Document) -> None:
    del document["spec"]["parameters"]
    document["spec"]["nasConfig"] = {"graphConfig": {"numLayers": 1}, "operations": []}


CASES: dict[str, tuple[list[Change], list[str]]] = {
    "in order": ([], []),
    "a name that begins with a digit": (
        [put("metadata.name", "1234-test")],
        ["metadata.name Invalid"],
    ),
    "a name of 41 letters": ([put("metadata.name", "a" * 41)], ["metadata.name Invalid"]),
    "no objective": ([spec("objective", None)], ["spec.objective Required"]),
    "no type": ([spec("objective.type", "")], ["spec.objective.type Invalid"]),
    "no metric": (
        [spec("objective.objectiveMetricName", "")],
        ["spec.objective.objectiveMetricName Required"],
    ),
    "the objective among the others": (
        [spec("objective.additionalMetricNames", ["accuracy"])],
        ["spec.objective.additionalMetricNames Invalid"],
    ),
    # Katib refuses these two; here the search is `auto`.
    "no algorithm": ([spec("algorithm", None)], []),
    "an algorithm without a name": (
        [spec("algorithm.algorithmName", "")],
        [],
    ),
    "an algorithm that nobody knows": (
        [spec("algorithm.algorithmName", "astrology")],
        ["spec.algorithm.algorithmName Invalid"],
    ),
    "a stop without a name": (
        [spec("earlyStopping", {"algorithmName": ""})],
        ["spec.earlyStopping.algorithmName Required"],
    ),
    "a stop that nobody knows": (
        [spec("earlyStopping", {"algorithmName": "whistle"})],
        ["spec.earlyStopping.algorithmName Invalid"],
    ),
    "fewer than no failures": (
        [spec("maxFailedTrialCount", -1)],
        ["spec.maxFailedTrialCount Invalid"],
    ),
    "fewer than no trials": ([spec("maxTrialCount", -1)], ["spec.maxTrialCount Invalid"]),
    "fewer than none at a time": (
        [spec("parallelTrialCount", -1)],
        ["spec.parallelTrialCount Invalid"],
    ),
    "an unknown policy": ([spec("resumePolicy", "invalid-policy")], ["spec.resumePolicy Invalid"]),
    "nothing to search": ([spec("parameters", [])], ["spec Required"]),
    "two things to search": ([spec("nasConfig", {"graphConfig": {}})], ["spec Invalid"]),
    "no template": ([spec("trialTemplate", None)], [f"{TEMPLATE} Required"]),
    "a list with a maximum": (
        [spec("parameters.1.feasibleSpace.max", "1")],
        ["spec.parameters[1].feasibleSpace Invalid"],
    ),
    "more failures than trials": (
        [spec("maxFailedTrialCount", 6), spec("maxTrialCount", 5)],
        ["spec.maxFailedTrialCount Invalid"],
    ),
    "as many failures as trials": (
        [spec("maxFailedTrialCount", 5), spec("maxTrialCount", 5)],
        [],
    ),
    "more at a time than at all": (
        [spec("parallelTrialCount", 6), spec("maxTrialCount", 5)],
        ["spec.parallelTrialCount Invalid"],
    ),
    "as many at a time as at all": (
        [spec("parallelTrialCount", 5), spec("maxTrialCount", 5)],
        [],
    ),
    "an unknown type of parameter": (
        [spec("parameters.0.parameterType", "invalid-type")],
        ["spec.parameters[0].parameterType Invalid"],
    ),
    "an empty space": (
        [spec("parameters.0.feasibleSpace", {})],
        ["spec.parameters[0].feasibleSpace Required"],
    ),
    "a range with a list": (
        [spec("parameters.0.feasibleSpace.list", ["1"])],
        ["spec.parameters[0].feasibleSpace.list Invalid"],
    ),
    "a step alone": (
        [spec("parameters.0.feasibleSpace", {"step": "1"})],
        ["spec.parameters[0].feasibleSpace.max Required"],
    ),
    "an unknown distribution": (
        [spec("parameters.0.feasibleSpace.distribution", "invalid-distribution")],
        ["spec.parameters[0].feasibleSpace.distribution Invalid"],
    ),
    # Katib stops at the first of the two.
    "no trial parameters": (
        [spec("trialTemplate.trialParameters", None)],
        [f"{TEMPLATE}.trialParameters Required", LEFT_OVER],
    ),
    "no source": (
        [
            spec("trialTemplate.trialSpec", None),
            spec("trialTemplate.successCondition", "s"),
            spec("trialTemplate.failureCondition", "f"),
        ],
        [f"{TEMPLATE}.TrialSource Required"],
    ),
    "two sources": ([both_sources], [f"{TEMPLATE} Required"]),
    "a ConfigMap without a path": (
        [in_a_config_map(key="")],
        [f"{TEMPLATE}.configMap Required"],
    ),
    "a ConfigMap that is not there": ([in_a_config_map()], [f"{TEMPLATE} Invalid"]),
    "a parameter without a reference": (
        [parameter(0, "learningRate", reference="")],
        [f"{TEMPLATE}.trialParameters[0] Invalid", LEFT_OVER],
    ),
    "a parameter's name in braces": (
        [parameter(0, "{invalid-name}", reference="lr")],
        [f"{TEMPLATE}.trialParameters[0] Invalid", LEFT_OVER],
    ),
    "a name twice": (
        [parameter(1, "learningRate", reference="momentum")],
        [f"{TEMPLATE}.trialParameters[1].name Invalid", LEFT_OVER],
    ),
    "a reference twice": (
        [parameter(1, "momentum", reference="lr")],
        [f"{TEMPLATE}.trialParameters[1].reference Invalid", LEFT_OVER],
    ),
    "a reference to nothing": (
        [parameter(1, "momentum", reference="wrong-ref")],
        [f"{TEMPLATE}.trialParameters[1].reference Invalid"],
    ),
    "a reference where the search has no parameters": (
        [no_parameters, parameter(1, "momentum", reference="wrong-ref")],
        [],
    ),
    "the trial's name": ([parameter(1, "momentum", reference="${trialSpec.Name}")], []),
    "an annotation": (
        [parameter(1, "momentum", reference="${trialSpec.Annotations[a]}")],
        [],
    ),
    "a label": ([parameter(1, "momentum", reference="${trialSpec.Labels[l]}")], []),
    "a place for no parameter": (
        [spec(f"{POD}.containers.0.args", ["${trialParameters.more}"])],
        [f"{TEMPLATE} Invalid"],
    ),
    "a parameter without a place": (
        [spec(f"{POD}.containers.0.command", ["a", "${trialParameters.learningRate}"])],
        [f"{TEMPLATE}.trialParameters[1].name Invalid"],
    ),
    "a job with a name": ([spec(f"{JOB}.metadata", {"name": "mine"})], [f"{TEMPLATE} Invalid"]),
    # Katib's default for the conditions depends on the kind only, and trialwatch's too.
    "a job without apiVersion": ([spec(f"{JOB}.apiVersion", "")], [f"{TEMPLATE} Required"]),
    "a kind of the user's": (
        [
            spec(f"{JOB}.kind", "CustomKind"),
            spec("trialTemplate.successCondition", "s"),
            spec("trialTemplate.failureCondition", "f"),
        ],
        # Katib creates objects of any kind, with the rights of its own controller.
        [f"{TEMPLATE}.trialSpec Forbidden"],
    ),
    "no primary container": (
        [spec("trialTemplate.primaryContainerName", "")],
        [f"{TEMPLATE}.primaryContainerName Required"],
    ),
    "a kind of the user's without conditions": (
        [spec(f"{JOB}.kind", "CustomKind")],
        [f"{TEMPLATE} Required", f"{TEMPLATE}.trialSpec Forbidden"],
    ),
    # Katib reports all faults of a Job at one path; trialwatch reports each at its own.
    "containers that are no list": (
        [
            spec(f"{POD}.containers", {"name": "training-container"}),
            spec("trialTemplate.trialParameters.0.reference", "lr"),
        ],
        [
            f"{TEMPLATE}.trialParameters[0].name Invalid",
            f"{TEMPLATE}.trialParameters[1].name Invalid",
            f"spec.{POD}.containers Invalid",
        ],
    ),
    "an unknown field of a container": (
        [spec(f"{POD}.containers.0.comand", ["true"])],
        [f"spec.{POD}.containers[0].comand Invalid"],
    ),
    "a graphics card": ([resources], []),
    "another group's Job": (
        [spec(f"{JOB}.apiVersion", "test/v1")],
        [f"{TEMPLATE}.trialSpec Forbidden"],
    ),
    "an unknown kind of collector": (
        [collected("invalid-kind")],
        ["spec.metricsCollectorSpec.collector.kind Invalid"],
    ),
    "a relative file": ([file("not/absolute")], [f"{PLACE}.path Required"]),
    "a relative directory": (
        [collected("TensorFlowEvent", fileSystemPath={"path": "no", "kind": "Directory"})],
        ["spec.metricsCollectorSpec.source Required"],
    ),
    "events in JSON": (
        [
            collected(
                "TensorFlowEvent",
                fileSystemPath={"path": "/a", "kind": "Directory", "format": "JSON"},
            )
        ],
        [f"{PLACE}.format Invalid"],
    ),
    # A path that is left out has a default.
    "a port that is a word": (
        [collected("PrometheusMetric", httpGet={"port": "Port"})],
        ["spec.metricsCollectorSpec.source.httpGet.port Invalid"],
    ),
    "a path of HTTP that is none": (
        [collected("PrometheusMetric", httpGet={"port": 8888, "path": "not/valid"})],
        ["spec.metricsCollectorSpec.source.httpGet.path Invalid"],
    ),
    "no container that collects": (
        [collected("Custom")],
        ["spec.metricsCollectorSpec.collector.customCollector Required"],
    ),
    "a container that collects from a relative place": (
        [
            collected("Custom", fileSystemPath={"path": "no", "kind": "File"}),
            spec("metricsCollectorSpec.collector.customCollector", {"name": "mine"}),
        ],
        [f"{PLACE} Invalid"],
    ),
    "a filter that is no pattern": (
        [file(filter={"metricsFormat": ["["]})],
        ["spec.metricsCollectorSpec.source.filter.metricsFormat[0] Invalid"],
    ),
    "a filter with one group": (
        [file(filter={"metricsFormat": ["{metricName: ([\\w|-]+)}"]})],
        ["spec.metricsCollectorSpec.source.filter.metricsFormat[0] Invalid"],
    ),
    # The reader reports an unknown word; Katib calls it missing.
    "an unknown format": ([file(form="invalid")], [f"{PLACE}.format Invalid"]),
    "JSON with a filter": (
        [file(form="JSON", filter={})],
        ["spec.metricsCollectorSpec.source.filter Invalid"],
    ),
    "JSON": ([file(form="JSON")], []),
}


def paths(response: dict[str, Any]) -> list[str]:
    """Return path and kind of each fault: `spec.objective Required`."""
    if response["allowed"]:
        return []
    causes = response["status"]["details"]["causes"]
    return [f"{one['field']} {one['message'].split()[0].rstrip(':')}" for one in causes]


@pytest.mark.parametrize("name", CASES)
async def test_a_case_of_katib_is_refused_at_the_path_of_its_fault(name: str) -> None:
    changes, faults = CASES[name]
    async with webhook() as running:
        response = await running.experiment(VALIDATE, experiment(*changes))

    assert sorted(paths(response)) == sorted(faults)


# -- changes --------------------------------------------------------------------------------


def ended(reason: str, policy: str) -> list[Change]:
    condition = {"type": "Succeeded", "status": "True", "reason": reason}
    return [put("status", {"conditions": [condition], "trials": 6}), spec("resumePolicy", policy)]


CHANGES: dict[str, tuple[list[Change], list[Change], list[str]]] = {
    "none": ([], [], []),
    "the counts": (
        [],
        [
            spec("maxTrialCount", 9),
            spec("parallelTrialCount", 2),
            spec("maxFailedTrialCount", 4),
        ],
        [],
    ),
    "an ended one that is never resumed": (
        ended("ExperimentMaxTrialsReached", "Never"),
        [spec("maxTrialCount", 9)],
        ["spec.resumePolicy Invalid"],
    ),
    "its policy, too": (
        ended("ExperimentMaxTrialsReached", "Never"),
        [spec("resumePolicy", "LongRunning"), spec("maxTrialCount", 9)],
        ["spec.resumePolicy Invalid", "spec Forbidden"],
    ),
    "an ended one that may go on": (
        ended("ExperimentMaxTrialsReached", "LongRunning"),
        [spec("maxTrialCount", 9)],
        [],
    ),
    "one that has reached its goal": (
        ended("ExperimentGoalReached", "LongRunning"),
        [spec("maxTrialCount", 9)],
        ["spec.resumePolicy Invalid"],
    ),
    "no more trials than there are": (
        [put("status", {"trials": 5}), spec("maxFailedTrialCount", 2)],
        [spec("maxTrialCount", 5)],
        ["spec.maxTrialCount Invalid"],
    ),
    "an ended one that would not go on": (
        ended("ExperimentMaxTrialsReached", "LongRunning"),
        [spec("parallelTrialCount", 1)],
        ["spec.maxTrialCount Invalid"],
    ),
    "another algorithm": ([], [spec("algorithm.algorithmName", "tpe")], ["spec Forbidden"]),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_in_katibs_cases_is_refused_at_the_path_of_its_fault(name: str) -> None:
    before, after, faults = CHANGES[name]
    old = experiment(*before)
    new = experiment(*before, *after)
    async with webhook() as running:
        response = await running.experiment(VALIDATE, new, old)

    assert sorted(paths(response)) == sorted(faults)
