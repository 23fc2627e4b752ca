"""Valid objects, and the mistakes that users make in an Experiment, one at a time."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from api.errors import SpecError
from api.objects.experiments import parse_experiment
from api.objects.metadata import API_VERSION
from api.objects.suggestions import parse_suggestion
from api.objects.trials import parse_trial
from api.objects.yamltext import load_objects

ROOT = Path(__file__).resolve().parents[2]
Document = dict[str, Any]
Change = Callable[[Document], object]

PARSERS = {"Experiment": parse_experiment, "Suggestion": parse_suggestion, "Trial": parse_trial}


def readable(document: Mapping[str, object]) -> bool:
    """Return whether it is one of our objects, and our reader accepts it."""
    parse = PARSERS.get(str(document.get("kind")))
    if parse is None or document.get("apiVersion") != API_VERSION:
        return False
    try:
        parse(document)
    except SpecError:
        return False  # some goldens are about just that
    return True


OBJECTS = {
    f"{path.relative_to(ROOT)}-{i}": document
    for pattern in ("tests/api/data/*.yaml", "examples/*.yaml", "tests/webhook/goldens/**/*.yaml")
    for path in sorted(ROOT.glob(pattern))
    for i, document in enumerate(load_objects(path.read_text()))
    if readable(document)
}
SEED: Document = dict(OBJECTS["tests/api/data/random-search.yaml-0"])
SEEDS = [document for document in OBJECTS.values() if document["kind"] == "Experiment"]


def setting(*way: str | int, to: object) -> Change:
    """Return a change that sets a value at a path; None deletes the value."""

    def change(document: Document) -> None:
        holder: Any = document
        for name in way[:-1]:
            holder = holder[name] if isinstance(name, int) else holder.setdefault(name, {})
        if to is None:
            del holder[way[-1]]
        else:
            holder[way[-1]] = to

    return change


def spec(*way: str | int, to: object) -> Change:
    return setting("spec", *way, to=to)


def both(*changes: Change) -> Change:
    return lambda document: [change(document) for change in changes]


def parameter(**members: object) -> Change:
    return spec("parameters", 0, to={"name": SEED["spec"]["parameters"][0]["name"], **members})


def collector(kind: str, **source: object) -> Change:
    return spec("metricsCollectorSpec", to={"collector": {"kind": kind}, "source": source})


TEMPLATE = ("trialTemplate",)
MISTAKES: list[tuple[str, Change, str]] = [
    ("a name in capitals", setting("metadata", "name", to="My-exp"), ""),
    ("a name of 41 characters", setting("metadata", "name", to="a" * 41), ""),
    ("no spec", setting("spec", to=None), "spec"),
    ("no trial at a time", spec("parallelTrialCount", to=0), "spec.parallelTrialCount"),
    ("no trial at all", spec("maxTrialCount", to=0), "spec.maxTrialCount"),
    ("fewer than no failures", spec("maxFailedTrialCount", to=-1), "spec.maxFailedTrialCount"),
    ("more at a time than at all", spec("parallelTrialCount", to=99), "spec.parallelTrialCount"),
    ("more failures than trials", spec("maxFailedTrialCount", to=99), "spec.maxFailedTrialCount"),
    ("a count that is a text", spec("maxTrialCount", to="12"), "spec.maxTrialCount"),
    ("a count that no 32 bits hold", spec("maxTrialCount", to=2**31), "spec.maxTrialCount"),
    ("an unknown policy", spec("resumePolicy", to="Sometimes"), "spec.resumePolicy"),
    ("no objective", spec("objective", to=None), "spec.objective"),
    ("an objective without a way", spec("objective", "type", to=""), "spec.objective.type"),
    ("an unknown way", spec("objective", "type", to="best"), "spec.objective.type"),
    (
        "no metric",
        spec("objective", "objectiveMetricName", to=""),
        "spec.objective.objectiveMetricName",
    ),
    (
        "a metric with a semicolon",
        spec("objective", "objectiveMetricName", to="a;b"),
        "spec.objective.objectiveMetricName",
    ),
    (
        "the objective among the additional metrics",
        spec(
            "objective",
            "additionalMetricNames",
            to=[SEED["spec"]["objective"]["objectiveMetricName"]],
        ),
        "spec.objective.additionalMetricNames",
    ),
    (
        "an additional metric without a name",
        spec("objective", "additionalMetricNames", to=["a", ""]),
        "spec.objective.additionalMetricNames[1]",
    ),
    ("a nameless stop", spec("earlyStopping", to={}), "spec.earlyStopping.algorithmName"),
    ("no space", spec("parameters", to=[]), "spec"),
    ("two spaces", spec("nasConfig", to={}), "spec"),
    (
        "a name twice",
        lambda document: document["spec"]["parameters"].append(document["spec"]["parameters"][0]),
        "spec.parameters[3]",
    ),
    ("a nameless parameter", spec("parameters", 0, "name", to=""), "spec.parameters[0].name"),
    ("a parameter of no type", parameter(), "spec.parameters[0].parameterType"),
    (
        "a parameter of unknown type",
        spec("parameters", 0, "parameterType", to="float"),
        "spec.parameters[0].parameterType",
    ),
    ("no values", parameter(parameterType="int"), "spec.parameters[0].feasibleSpace"),
    (
        "a range without an end",
        parameter(parameterType="int", feasibleSpace={"min": "1"}),
        "spec.parameters[0].feasibleSpace",
    ),
    (
        "a range of words",
        parameter(parameterType="double", feasibleSpace={"min": "low", "max": "1"}),
        "spec.parameters[0].feasibleSpace.min",
    ),
    (
        "a range that is a list too",
        parameter(parameterType="int", feasibleSpace={"min": "1", "max": "2", "list": ["1"]}),
        "spec.parameters[0].feasibleSpace.list",
    ),
    (
        "a range upside down",
        parameter(parameterType="int", feasibleSpace={"min": "10", "max": "9"}),
        "spec.parameters[0].feasibleSpace.min",
    ),
    (
        "a step back",
        parameter(parameterType="int", feasibleSpace={"min": "1", "max": "9", "step": "-1"}),
        "spec.parameters[0].feasibleSpace.step",
    ),
    (
        "the logarithm of nothing",
        parameter(
            parameterType="double",
            feasibleSpace={"min": "0", "max": "1", "distribution": "logUniform"},
        ),
        "spec.parameters[0].feasibleSpace.min",
    ),
    (
        "an unknown law",
        parameter(
            parameterType="int", feasibleSpace={"min": "1", "max": "2", "distribution": "unknown"}
        ),
        "spec.parameters[0].feasibleSpace.distribution",
    ),
    (
        "a list that is a range",
        parameter(parameterType="categorical", feasibleSpace={"list": ["a"], "max": "1"}),
        "spec.parameters[0].feasibleSpace",
    ),
    (
        "an empty list",
        parameter(parameterType="discrete", feasibleSpace={"list": []}),
        "spec.parameters[0].feasibleSpace.list",
    ),
    (
        "numbers without quotes",
        parameter(parameterType="int", feasibleSpace={"min": 1, "max": 2}),
        "spec.parameters[0].feasibleSpace.min",
    ),
    ("no template", spec("trialTemplate", to=None), "spec.trialTemplate"),
    (
        "nobody trains",
        spec(*TEMPLATE, "primaryContainerName", to=None),
        "spec.trialTemplate.primaryContainerName",
    ),
    (
        "no trial parameters",
        spec(*TEMPLATE, "trialParameters", to=None),
        "spec.trialTemplate.trialParameters",
    ),
    (
        "a placeholder with braces",
        spec(*TEMPLATE, "trialParameters", 0, "name", to="{a}"),
        "spec.trialTemplate.trialParameters[0].name",
    ),
    (
        "a placeholder for nothing",
        spec(*TEMPLATE, "trialParameters", 0, "reference", to=""),
        "spec.trialTemplate.trialParameters[0].reference",
    ),
    (
        "a placeholder for an unknown parameter",
        spec(*TEMPLATE, "trialParameters", 0, "reference", to="lrr"),
        "spec.trialTemplate.trialParameters",
    ),
    ("no job", spec(*TEMPLATE, "trialSpec", to=None), "spec.trialTemplate"),
    (
        "two jobs",
        spec(
            *TEMPLATE,
            "configMap",
            to={"configMapName": "a", "configMapNamespace": "b", "templatePath": "c"},
        ),
        "spec.trialTemplate",
    ),
    (
        "half a ConfigMap",
        both(
            spec(*TEMPLATE, "trialSpec", to=None),
            spec(*TEMPLATE, "configMap", to={"configMapName": "a", "configMapNamespace": "b"}),
        ),
        "spec.trialTemplate.configMap.templatePath",
    ),
    (
        "a job of a kind that nobody can read",
        spec(*TEMPLATE, "trialSpec", "kind", to="Workflow"),
        "spec.trialTemplate",
    ),
    (
        "a job without a kind",
        both(
            spec(*TEMPLATE, "trialSpec", "kind", to=None),
            spec(*TEMPLATE, "successCondition", to="a"),
            spec(*TEMPLATE, "failureCondition", to="b"),
        ),
        "spec.trialTemplate.trialSpec",
    ),
    (
        "a job with a name",
        spec(*TEMPLATE, "trialSpec", "metadata", "name", to="mine"),
        "spec.trialTemplate.trialSpec.metadata.name",
    ),
    (
        "a job with a namespace",
        spec(*TEMPLATE, "trialSpec", "metadata", "namespace", to="mine"),
        "spec.trialTemplate.trialSpec.metadata.namespace",
    ),
    (
        "a collector of unknown kind",
        spec("metricsCollectorSpec", "collector", "kind", to="Stdout"),
        "spec.metricsCollectorSpec.collector.kind",
    ),
    (
        "a relative path",
        collector("File", fileSystemPath={"path": "katib/log"}),
        "spec.metricsCollectorSpec.source.fileSystemPath",
    ),
    (
        "a directory for a file",
        collector("File", fileSystemPath={"path": "/katib/log", "kind": "Directory"}),
        "spec.metricsCollectorSpec.source.fileSystemPath",
    ),
    (
        "JSON with a filter",
        collector("File", fileSystemPath={"format": "JSON"}, filter={"metricsFormat": ["(a)(b)"]}),
        "spec.metricsCollectorSpec.source.filter",
    ),
    (
        "events as text",
        collector("TensorFlowEvent", fileSystemPath={"format": "TEXT"}),
        "spec.metricsCollectorSpec.source.fileSystemPath",
    ),
    (
        "a relative URL",
        collector("PrometheusMetric", httpGet={"path": "metrics", "port": 8080}),
        "spec.metricsCollectorSpec.source.httpGet",
    ),
    ("nobody collects", collector("Custom"), "spec.metricsCollectorSpec.collector"),
    (
        "a filter of one group",
        collector("StdOut", filter={"metricsFormat": ["loss=(.*)"]}),
        "spec.metricsCollectorSpec.source.filter",
    ),
]


def spoilt(change: Change) -> Document:
    """Return a valid experiment with one mistake."""
    document = copy.deepcopy(SEED)
    change(document)
    return document
