"""What the API server checks by itself: never more than `api.objects`, and most of it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import Fault, SpecError, UserError
from api.objects.defaults import with_defaults
from api.objects.experiments import parse_experiment, render_experiment
from api.objects.metadata import API_VERSION
from api.objects.suggestions import parse_suggestion
from api.objects.trials import parse_trial
from api.objects.validation import faults_of
from api.objects.validation_update import update_faults
from api.objects.yamltext import load_objects
from api.types import LogFormat
from filters.extractor import reading
from manifests.schema.documents import EXPERIMENT, KINDS, schema
from tests.manifests.admission import Complaint, admitted, complaints

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS: dict[str, Any] = {kind.kind: schema(kind) for kind in KINDS}
SCHEMA = SCHEMAS[EXPERIMENT.kind]
Document = dict[str, Any]
Change = Callable[[Document], object]

PARSERS = {"Experiment": parse_experiment, "Suggestion": parse_suggestion, "Trial": parse_trial}


def readable(document: Mapping[str, object]) -> bool:
    """Say whether it is one of our objects, and one that our own reader takes."""
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
SEEDS = [document for document in OBJECTS.values() if document["kind"] == EXPERIMENT.kind]


def check_filter(pattern: str) -> str | None:
    try:
        reading(("loss",), LogFormat.TEXT, (pattern,))
    except UserError as error:
        return str(error)
    return None


def faults(document: object) -> tuple[Fault, ...]:
    """Say what our own reading and validation find wrong."""
    try:
        experiment = with_defaults(parse_experiment(document))
    except SpecError as error:
        return error.faults
    return faults_of(experiment, check_filter=check_filter)


@pytest.mark.parametrize("name", OBJECTS)
def test_a_good_object_is_taken(name: str) -> None:
    document = OBJECTS[name]

    assert complaints(SCHEMAS[str(document["kind"])], document) == ()


@pytest.mark.parametrize("name", [n for n in OBJECTS if OBJECTS[n]["kind"] == EXPERIMENT.kind])
def test_the_servers_defaults_are_ours(name: str) -> None:
    kept = admitted(SCHEMA, OBJECTS[name])

    assert with_defaults(parse_experiment(kept)) == with_defaults(parse_experiment(OBJECTS[name]))


def test_there_are_objects_of_all_kinds_to_try() -> None:
    assert {str(document["kind"]) for document in OBJECTS.values()} == SCHEMAS.keys()


# -- one mistake at a time ------------------------------------------------------------------


def setting(*way: str | int, to: object) -> Change:
    """Put a value in a place; None deletes what is there."""

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
    ("no algorithm", spec("algorithm", to=None), "spec.algorithm"),
    ("a nameless algorithm", spec("algorithm", to={}), "spec.algorithm.algorithmName"),
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
        "spec.trialTemplate.trialSpec.metadata",
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


@pytest.mark.parametrize(
    ("change", "path"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES]
)
def test_a_mistake_is_refused_without_a_webhook_and_by_us(change: Change, path: str) -> None:
    document = copy.deepcopy(SEED)
    change(document)

    found = complaints(SCHEMA, document)

    assert path in {complaint.path for complaint in found}
    assert faults(document)


def test_all_mistakes_are_told_at_once() -> None:
    document = copy.deepcopy(SEED)
    for change in (
        spec("maxTrialCount", to=0),
        spec("algorithm", to={}),
        spec("parameters", to=[]),
    ):
        change(document)

    assert {"spec.maxTrialCount", "spec.algorithm.algorithmName", "spec"} <= {
        complaint.path for complaint in complaints(SCHEMA, document)
    }


# -- never more than our own rules ----------------------------------------------------------

WORDS = st.sampled_from(
    [
        *("", "a", "lr", "0", "1", "-1", "0.5", "1e3", "1e-400", "1_0", " 1", "nan", "inf", "a;b"),
        *("int", "double", "discrete", "categorical", "unknown", "uniform", "logUniform", "normal"),
        *(
            "StdOut",
            "File",
            "Custom",
            "Push",
            "TensorFlowEvent",
            "PrometheusMetric",
            "JSON",
            "TEXT",
        ),
        *("Directory", "/a", "a/b", "([a-z]+)=(.+)", "((a)b)", "(a)", "minimize", "Never", "Job"),
        *("${trialSpec.Name}", "LongRunning", "batch/v1"),
    ]
)
SMALL = st.recursive(
    WORDS | st.integers(-2, 20) | st.booleans() | st.none() | st.floats(-2, 2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:  # noqa: ANN401 - JSON
    parts: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        parts = list(value.items())
    elif isinstance(value, list):
        parts = list(enumerate(value))
    return [path] + [place for key, part in parts for place in places(part, (*path, key))]


@st.composite
def spoiled(draw: st.DrawFn) -> Document:
    """Draw an experiment with some values changed, gone, or in each other's place."""
    document: Document = copy.deepcopy(dict(draw(st.sampled_from(SEEDS))))
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from([p for p in places(document) if p[:1] == ("spec",)]))
        holder: Any = document
        for key in way:
            holder = holder[key]
        what = draw(st.sampled_from(["value", "word", "gone"]))
        if what == "gone":
            del holder[last]
        else:
            holder[last] = draw(SMALL if what == "value" else WORDS)
        document.setdefault("spec", {})
        if not isinstance(document["spec"], dict):
            document["spec"] = {}
    return document


@given(document=spoiled())
def test_whatever_we_take_the_server_takes(document: Document) -> None:
    if not faults(document):
        assert complaints(SCHEMA, document) == ()


# -- changes --------------------------------------------------------------------------------


def stored(document: Document, **status: object) -> Document:
    """Return the object as it stands in the cluster, all defaults filled in."""
    return render_experiment(with_defaults(parse_experiment({**document, "status": status})))


def test_the_three_counts_may_be_changed() -> None:
    old = stored(SEED, trials=3)
    new = copy.deepcopy(old)
    new["spec"] |= {"maxTrialCount": 40, "parallelTrialCount": 7, "maxFailedTrialCount": 9}

    assert complaints(SCHEMA, new, old) == ()


def test_the_status_may_be_changed_whatever_the_spec_is() -> None:
    old = stored(SEED, trials=50)
    new = {**old, "status": {"trials": 51}}

    assert complaints(SCHEMA, new, old) == ()


def test_a_count_below_the_trials_that_there_are_is_refused() -> None:
    old = stored(SEED, trials=12)
    new = copy.deepcopy(old)
    new["spec"]["maxTrialCount"] = 12
    new["spec"]["parallelTrialCount"] = 1

    assert [complaint.path for complaint in complaints(SCHEMA, new, old)] == ["spec.maxTrialCount"]


@given(document=spoiled())
def test_whatever_change_we_take_the_server_takes(document: Document) -> None:
    if faults(document):
        return
    old, new = stored(SEED, trials=3), stored(document, trials=3)
    new["metadata"] = old["metadata"]

    said = complaints(SCHEMA, new, old)

    if not update_faults(parse_experiment(old), parse_experiment(new)):
        assert said == ()
    else:
        assert said != ()


@pytest.mark.parametrize(
    "change",
    [
        spec("objective", "goal", to=0.5),
        spec("algorithm", "algorithmName", to="tpe"),
        spec("parameters", 0, "feasibleSpace", "max", to="0.9"),
        spec("trialTemplate", "trialSpec", "metadata", "labels", to={"a": "b"}),
        spec("resumePolicy", to="LongRunning"),
        spec("earlyStopping", to={"algorithmName": "medianstop"}),
        spec("metricsCollectorSpec", "source", to={"filter": {}}),
    ],
)
def test_nothing_else_may_be_changed(change: Change) -> None:
    old = stored(SEED)
    new = copy.deepcopy(old)
    change(new)

    assert [complaint.path for complaint in complaints(SCHEMA, new, old)] == ["spec"]


def test_a_name_that_katib_let_pass_does_not_keep_an_old_object_from_its_end() -> None:
    old = setting("metadata", "name", to="my.exp")
    document = copy.deepcopy(SEED)
    old(document)

    assert complaints(SCHEMA, document, document) == ()
    assert complaints(SCHEMA, document) == (Complaint("", complaints(SCHEMA, document)[0].message),)
