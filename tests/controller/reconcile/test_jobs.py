"""A trial's job: what is created, and what its status means."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from api.documents import mapping_at, mappings_at
from api.names import EXPERIMENT_LABEL, TRIAL_LABEL
from api.types import Json, JsonObject, ObjectMeta, Trial, TrialSpec
from controller.reconcile.jobs import (
    JobOutcome,
    JobState,
    job_document,
    matching_object,
    state_of_job,
)

CONDITIONS: JsonObject = {
    "status": {
        "succeeded": 1,
        "conditions": [
            {"type": "Failed", "status": "False", "reason": "no", "message": "not this"},
            {"type": "Complete", "status": "True", "Reason": "Done", "message": "well done"},
        ],
        "words": ["True"],
        "odd": {"reason": 3, "message": None},
    }
}
POD: JsonObject = {"containers": [{"name": "main"}]}


def trial(run_spec: JsonObject | None = None, *, success: str = "", failure: str = "") -> Trial:
    labels = {EXPERIMENT_LABEL: "exp", "role": "master", "team": "x"}
    return Trial(
        metadata=ObjectMeta(name="t", namespace="ns", uid="uid-t", labels=labels),
        spec=TrialSpec(
            run_spec=run_spec,
            primary_pod_labels={"role": "master"},
            success_condition=success,
            failure_condition=failure,
        ),
    )


LABELS = {TRIAL_LABEL: "t", EXPERIMENT_LABEL: "exp", "team": "x"}


def test_the_pods_of_an_argo_workflow_have_the_label_though_it_has_no_pod_template() -> None:
    workflow: JsonObject = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "spec": {
            "entrypoint": "train",
            "podMetadata": {"labels": {"team": "theirs"}, "annotations": {"a": "b"}},
            "templates": [{"name": "train", "container": {"image": "i"}}],
        },
    }

    made = job_document(trial(workflow))

    metadata = {"labels": {**LABELS, "team": "theirs"}, "annotations": {"a": "b"}}
    assert made["spec"] == {**mapping_at(workflow, "spec"), "podMetadata": metadata}


def test_a_tekton_run_has_the_label_itself_because_tekton_copies_it_to_its_pods() -> None:
    run: JsonObject = {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "spec": {}}

    assert mapping_at(job_document(trial(run)), "metadata", "labels") == LABELS


def test_all_pods_of_a_ray_job_have_the_label() -> None:
    pod: JsonObject = {"spec": POD}
    job: JsonObject = {
        "apiVersion": "ray.io/v1",
        "kind": "RayJob",
        "spec": {
            "submitterPodTemplate": pod,
            "rayClusterSpec": {
                "headGroupSpec": {"template": pod},
                "workerGroupSpecs": [{"template": pod}],
            },
        },
    }

    made = job_document(trial(job))

    cluster = mapping_at(made, "spec", "rayClusterSpec")
    templates = [
        mapping_at(made, "spec", "submitterPodTemplate"),
        mapping_at(cluster, "headGroupSpec", "template"),
        *(mapping_at(group, "template") for group in mappings_at(cluster, "workerGroupSpecs")),
    ]
    assert [mapping_at(template, "metadata", "labels") for template in templates] == [LABELS] * 3


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ('status.conditions.#(type=="Complete")#|#(status=="True")#', True),
        ('status.conditions.#(type=="Complete")', True),
        ('status.conditions.#(type=="Failed")#|#(status=="True")#', False),
        ("status.[@this].#(succeeded==1)", True),
        ("status", True),
        ("status.succeeded", False),
        ("status.words", False),
        ("nothing", False),
    ],
)
def test_a_condition_holds_by_an_object_or_by_the_first_of_a_list(
    expression: str,
    holds: bool,  # noqa: FBT001
) -> None:
    assert (matching_object(CONDITIONS, expression) is not None) is holds


COMPLETE = 'status.conditions.#(type=="Complete")#|#(status=="True")#'
FAILED = 'status.conditions.#(type=="Failed")#|#(status=="True")#'


@pytest.mark.parametrize(
    ("success", "failure", "expected"),
    [
        (
            COMPLETE,
            FAILED,
            JobState(outcome=JobOutcome.SUCCEEDED, reason="Done", message="well done"),
        ),
        (FAILED, FAILED, JobState(outcome=JobOutcome.RUNNING)),
        (
            COMPLETE,
            COMPLETE,
            JobState(outcome=JobOutcome.FAILED, reason="Done", message="well done"),
        ),
        ("status.[@this].#(succeeded==1)", FAILED, JobState(outcome=JobOutcome.SUCCEEDED)),
        ("status.odd", "", JobState(outcome=JobOutcome.SUCCEEDED)),
        ("", "", JobState(outcome=JobOutcome.RUNNING)),
    ],
)
def test_a_job_is_judged_by_failure_then_success(
    success: str, failure: str, expected: JobState
) -> None:
    assert state_of_job(trial(success=success, failure=failure), CONDITIONS) == expected


def templates(part: Json) -> list[Mapping[str, Json]]:
    """Find every pod template by what it has, wherever it is."""
    if isinstance(part, Mapping):
        own = [part] if part.get("spec") == POD else []
        return own + [t for inner in part.values() for t in templates(inner)]
    if isinstance(part, list):
        return [t for inner in part for t in templates(inner)]
    return []


@pytest.mark.parametrize(
    "run_spec",
    [
        {"kind": "Job", "spec": {"template": {"spec": POD}}},
        {"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": POD}}}}},
        {
            "kind": "PyTorchJob",
            "spec": {
                "pytorchReplicaSpecs": {
                    "Master": {"template": {"spec": POD}},
                    "Worker": {"template": {"spec": POD}},
                }
            },
        },
        {
            "kind": "JobSet",
            "spec": {
                "replicatedJobs": [{"template": {"spec": {"template": {"spec": POD}}}}],
            },
        },
    ],
    ids=lambda spec: str(spec["kind"]),
)
def test_every_pod_template_gets_the_trials_labels(run_spec: JsonObject) -> None:
    made = job_document(trial(run_spec))

    found = templates(made)
    assert found
    for one in found:
        metadata = one["metadata"]
        assert isinstance(metadata, Mapping)
        assert metadata["labels"] == {TRIAL_LABEL: "t", EXPERIMENT_LABEL: "exp", "team": "x"}, (
            "not the label that tells the primary pod"
        )


def test_a_templates_own_labels_stay_but_not_one_that_names_another_trial() -> None:
    own = {"team": "y", TRIAL_LABEL: "other"}
    spec: JsonObject = {"spec": {"template": {"metadata": {"labels": own}, "spec": POD}}}

    (found,) = templates(job_document(trial(spec)))

    assert isinstance(found["metadata"], Mapping)
    labels = found["metadata"]["labels"]
    assert labels == {TRIAL_LABEL: "t", EXPERIMENT_LABEL: "exp", "team": "y"}


def test_a_bare_pod_is_labelled_itself() -> None:
    made = job_document(trial({"kind": "Pod", "spec": POD}))

    assert isinstance(made["metadata"], Mapping)
    assert made["metadata"]["labels"] == {TRIAL_LABEL: "t", EXPERIMENT_LABEL: "exp", "team": "x"}


def test_the_job_is_the_trials_by_name_and_by_owner() -> None:
    made = job_document(trial({"kind": "Job", "metadata": {"annotations": {"a": "b"}}}))

    assert made["metadata"] == {
        "annotations": {"a": "b"},
        "name": "t",
        "namespace": "ns",
        "ownerReferences": [
            {
                "apiVersion": "kubeflow.org/v1beta1",
                "kind": "Trial",
                "name": "t",
                "uid": "uid-t",
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
    }
    assert made["kind"] == "Job"
