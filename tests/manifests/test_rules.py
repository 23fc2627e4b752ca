"""The API server's own checks by the CRD: most of those of `api.objects`, and no others."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.documents import mapping_at
from api.errors import Fault, SpecError, UserError
from api.objects.defaults import with_defaults
from api.objects.experiments import parse_experiment, render_experiment
from api.objects.validation import faults_of
from api.objects.validation_update import update_faults
from api.types import LogFormat
from filters.extractor import extraction_spec
from manifests.schema.documents import EXPERIMENT, KINDS, schema
from tests.manifests.crd_admission import Complaint, admitted, complaints
from tests.manifests.user_mistakes import (
    MISTAKES,
    OBJECTS,
    SEED,
    SEEDS,
    Change,
    Document,
    setting,
    spec,
    spoilt,
)
from webhook.experiments.authors import RightGranted, RightLookup
from webhook.experiments.decision import ExperimentVerdict, decide_on_experiment
from webhook.experiments.defaulting import fill_in_defaults
from webhook.experiments.request import ExperimentRequest
from webhook.model.config import Config
from webhook.model.lookups import ObjectAbsent

SCHEMAS: dict[str, Any] = {kind.kind: schema(kind) for kind in KINDS}
SCHEMA = SCHEMAS[EXPERIMENT.kind]


def check_filter(pattern: str) -> str | None:
    try:
        extraction_spec(("loss",), LogFormat.TEXT, (pattern,))
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


def test_two_trials_at_most_are_valid_without_a_number_of_parallel_trials() -> None:
    document = copy.deepcopy(SEED)
    document["spec"]["maxTrialCount"] = 2
    for name in ("parallelTrialCount", "maxFailedTrialCount"):
        document["spec"].pop(name, None)

    stored = fill_in_defaults(admitted(SCHEMA, document))

    assert complaints(SCHEMA, stored) == ()
    assert mapping_at(stored, "spec")["parallelTrialCount"] == 2


def test_there_are_objects_of_all_kinds_to_try() -> None:
    assert {str(document["kind"]) for document in OBJECTS.values()} == SCHEMAS.keys()


@pytest.mark.parametrize(
    ("change", "path"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES]
)
def test_a_mistake_is_refused_without_a_webhook_and_by_us(change: Change, path: str) -> None:
    document = spoilt(change)

    found = complaints(SCHEMA, document)

    assert path in {complaint.path for complaint in found}
    assert faults(document)


def test_all_mistakes_are_reported_at_once() -> None:
    document = copy.deepcopy(SEED)
    for change in (
        spec("maxTrialCount", to=0),
        spec("algorithm", "algorithmName", to=""),
        spec("parameters", to=[]),
    ):
        change(document)

    assert {"spec.maxTrialCount", "spec.algorithm.algorithmName", "spec"} <= {
        complaint.path for complaint in complaints(SCHEMA, document)
    }


def ruled(asked: ExperimentRequest) -> ExperimentVerdict:
    """Say what the webhook does, in a cluster with nothing in it, to who may do everything."""
    questions = decide_on_experiment(asked, Config())
    try:
        question = next(questions)
        while True:
            reply = RightGranted() if isinstance(question, RightLookup) else ObjectAbsent()
            question = questions.send(reply)
    except StopIteration as end:
        ruling: ExperimentVerdict = end.value
        return ruling


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


@given(document=spoiled())
def test_whatever_the_webhook_lets_through_the_server_takes(document: Document) -> None:
    asked = ExperimentRequest(namespace="team", name="x", document=document)
    if not ruled(asked).faults:
        assert complaints(SCHEMA, fill_in_defaults(document)) == ()


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
    old = stored(SEED, trials=11)
    new = copy.deepcopy(old)
    new["spec"]["maxTrialCount"] = 11
    new["spec"]["parallelTrialCount"] = 1

    assert [complaint.path for complaint in complaints(SCHEMA, new, old)] == ["spec.maxTrialCount"]


@pytest.mark.parametrize(
    ("condition", "policy", "goes_on"),
    [
        (("Succeeded", "True", "ExperimentMaxTrialsReached"), "LongRunning", True),
        (("Succeeded", "True", "ExperimentMaxTrialsReached"), "FromVolume", True),
        (("Succeeded", "True", "ExperimentMaxTrialsReached"), "Never", False),
        (("Succeeded", "True", "ExperimentGoalReached"), "LongRunning", False),
        (("Failed", "True", "ExperimentFailed"), "LongRunning", False),
        (("Succeeded", "False", "ExperimentGoalReached"), "Never", True),
        (("Running", "True", "ExperimentRunning"), "Never", True),
    ],
)
def test_an_ended_experiment_goes_on_where_it_was_kept_for_it_and_by_us_as_well(
    condition: tuple[str, str, str], policy: str, *, goes_on: bool
) -> None:
    said = dict(zip(("type", "status", "reason"), condition, strict=True))
    document = copy.deepcopy(SEED)
    document["spec"]["resumePolicy"] = policy
    old = stored(document, trials=12, conditions=[said])
    new = copy.deepcopy(old)
    new["spec"]["maxTrialCount"] = 40

    assert (complaints(SCHEMA, new, old) == ()) is goes_on
    assert (update_faults(parse_experiment(old), parse_experiment(new)) == ()) is goes_on
    assert complaints(SCHEMA, old, old) == ()


def test_while_the_last_trials_run_fewer_may_run_at_a_time() -> None:
    old = stored(SEED, trials=12)
    new = copy.deepcopy(old)
    new["spec"]["parallelTrialCount"] = 1

    assert complaints(SCHEMA, new, old) == ()


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


@given(document=spoiled())
def test_whatever_change_the_webhook_lets_through_the_server_takes(document: Document) -> None:
    if faults(document):
        return
    # To the server `source: {}` is not the same as none; so both are written in one form.
    old, new = stored(SEED, trials=3), stored(document, trials=3)
    new["metadata"] = old["metadata"]
    if not ruled(ExperimentRequest(namespace="team", name="x", document=new, old=old)).faults:
        assert complaints(SCHEMA, fill_in_defaults(new, old), old) == ()


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
