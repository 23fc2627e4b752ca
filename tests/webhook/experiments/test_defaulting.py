"""The mutating webhook fills in the defaults of `api.objects`, and changes nothing else."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import SpecError
from api.names import AUTHOR_ANNOTATION
from api.objects.defaults import with_defaults
from api.objects.experiments import parse_experiment
from tests.manifests.test_rules import spoiled
from tests.manifests.user_mistakes import SEEDS
from tests.webhook.experiments.experiment_documents import (
    Change,
    Document,
    collected,
    experiment,
    put,
    spec,
)
from tests.webhook.running_webhook import patched, webhook
from webhook.experiments.defaulting import fill_in_defaults
from webhook.server.experiment_handler import MUTATE
from webhook.server.json_patch import patch_between


def without_defaults(document: Document, draw: st.DrawFn) -> None:
    """Remove or empty some fields that have a default."""
    sparse: Any = document.get("spec")
    for name in ("parallelTrialCount", "resumePolicy", "metricsCollectorSpec", "algorithm"):
        if isinstance(sparse, dict) and draw(st.booleans()):
            sparse.pop(name, None)


@st.composite
def experiments(draw: st.DrawFn) -> Document:
    document = draw(spoiled() | st.sampled_from(SEEDS).map(lambda one: copy.deepcopy(dict(one))))
    without_defaults(document, draw)
    return document


def whole(document: Document) -> Document | None:
    """Return the stored experiment; None: it is not valid."""
    try:
        wanted = fill_in_defaults(document)
    except SpecError:
        return None
    patch = patch_between(document, wanted)
    stored: Document = patched(document, _response(patch))
    assert stored == wanted
    return stored


def _response(patch: list[Any]) -> dict[str, Any]:
    if not patch:
        return {}
    coded = base64.b64encode(json.dumps(patch).encode()).decode()
    return {"patchType": "JSONPatch", "patch": coded}


@given(document=experiments())
def test_a_stored_experiment_has_the_defaults_of_all_programs(
    document: Document,
) -> None:
    stored = whole(document)
    if stored is None:
        return

    meant = with_defaults(parse_experiment(document, unknown_fields=False))
    assert parse_experiment(stored, unknown_fields=False) == meant


@given(document=experiments())
def test_a_second_time_changes_nothing(document: Document) -> None:
    stored = whole(document)

    assert stored is None or fill_in_defaults(stored) == stored
    assert stored is None or patch_between(stored, fill_in_defaults(stored)) == []


@given(document=experiments())
def test_an_update_that_changes_nothing_gets_no_patch_however_sparse_it_was_stored(
    document: Document,
) -> None:
    try:
        wanted: Any = fill_in_defaults(document, copy.deepcopy(document))
    except SpecError:
        return
    parallel = wanted["spec"]["parallelTrialCount"]
    assert wanted["spec"] == {**(document["spec"] or {}), "parallelTrialCount": parallel}


STRANGE: dict[str, Change] = {
    "of the spec": spec("newField", {"a": [1]}),
    "of the objective": spec("objective.newField", 7),
    "of a parameter": spec("parameters.0.newField", "x"),
    "of a space": spec("parameters.1.feasibleSpace.newField", ["x"]),
    "of the collector": spec("metricsCollectorSpec", {"newField": 1}),
    "of the object": put("newField", {"a": 1}),
    "of the metadata": put("metadata.newField", {"a": 1}),
}


@pytest.mark.parametrize("name", STRANGE)
async def test_a_field_of_a_later_version_stays(name: str) -> None:
    document = experiment(STRANGE[name])
    async with webhook() as running:
        stored = patched(document, await running.experiment(MUTATE, document))

    assert stored["metadata"].pop("annotations") == {AUTHOR_ANNOTATION: "Job.batch"}
    plain: Any = fill_in_defaults(experiment())
    STRANGE[name](plain)
    if name != "of the collector":
        assert stored == plain
    else:
        assert stored["spec"]["metricsCollectorSpec"] == {
            "newField": 1,
            "collector": {"kind": "StdOut"},
        }


async def test_a_sparse_experiment_gets_its_defaults() -> None:
    document = experiment(spec("objective.additionalMetricNames", ["loss"]))
    async with webhook() as running:
        response = await running.experiment(MUTATE, document)
        labels = {"path": "mutate-experiment", "verdict": "patch"}
        metric = "trialwatch_webhook_experiment_reviews_total"
        assert await running.metric(metric, **labels) == 1

    stored = patched(document, response)["spec"]
    assert stored["parallelTrialCount"] == 3
    assert stored["resumePolicy"] == "Never"
    assert stored["objective"]["metricStrategies"] == [
        {"name": "accuracy", "value": "max"},
        {"name": "loss", "value": "max"},
    ]
    assert stored["metricsCollectorSpec"] == {"collector": {"kind": "StdOut"}}
    assert [one["feasibleSpace"]["distribution"] for one in stored["parameters"]] == [
        "uniform",
        "uniform",
    ]
    assert "Complete" in stored["trialTemplate"]["successCondition"]
    assert "primaryPodLabels" not in stored["trialTemplate"]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (spec("metricsCollectorSpec", {}), "StdOut"),
        (spec("metricsCollectorSpec", {"collector": {}}), "StdOut"),
        (spec("metricsCollectorSpec", {"collector": None, "source": None}), "StdOut"),
        (spec("metricsCollectorSpec", {"collector": {"kind": ""}}), "StdOut"),
        (collected("File"), "File"),
    ],
)
async def test_a_collector_without_a_kind_is_that_of_standard_output(
    change: Change, kind: str
) -> None:
    stored = fill_in_defaults(experiment(change))["spec"]
    assert isinstance(stored, dict)
    collector: Any = stored["metricsCollectorSpec"]

    assert collector["collector"] == {"kind": kind}


def test_a_port_of_no_number_is_the_default_however_it_is_written() -> None:
    for port in (0, "0", None):
        change = collected("PrometheusMetric", httpGet={"port": port})
        stored: Any = fill_in_defaults(experiment(change))
        assert stored["spec"]["metricsCollectorSpec"]["source"]["httpGet"] == {
            "port": 8080,
            "path": "/metrics",
        }


async def test_an_experiment_that_was_stored_without_defaults_may_still_be_edited() -> None:
    old = experiment()
    new = experiment(spec("maxTrialCount", 9))
    async with webhook() as running:
        response = await running.experiment(MUTATE, new, old)

    stored = patched(new, response)
    assert stored["metadata"].pop("annotations") == {AUTHOR_ANNOTATION: "Job.batch"}
    assert stored == {**new, "spec": {**new["spec"], "parallelTrialCount": 3}}


async def test_applying_the_same_sparse_file_again_changes_nothing() -> None:
    old = fill_in_defaults(experiment())
    sparse = experiment(spec("maxTrialCount", 9))
    async with webhook() as running:
        response = await running.experiment(MUTATE, sparse, old)

    stored = patched(sparse, response)
    assert isinstance(old["spec"], dict)
    assert stored["spec"] == {**old["spec"], "maxTrialCount": 9}
