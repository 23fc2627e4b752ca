"""The pods of a TrainJob get the trial's label, although a TrainJob has no pod template."""

from __future__ import annotations

from dataclasses import replace

import pytest

from api.names import TRIAL_LABEL
from api.types import JsonObject
from controller.reconcile.jobs import job_document
from tests.controller.reconcile.test_jobs import LABELS, trial

JOB_LABEL = "jobset.sigs.k8s.io/replicatedjob-name"
BY_DEFAULT = {JOB_LABEL: "node", "batch.kubernetes.io/job-completion-index": "0"}
TRAIN_JOB: JsonObject = {
    "apiVersion": "trainer.kubeflow.org/v1alpha1",
    "kind": "TrainJob",
    "spec": {"runtimeRef": {"name": "torch-distributed"}},
}


def patches_of(job: JsonObject, selector: dict[str, str]) -> list[JsonObject]:
    item = trial(job)
    item = replace(item, spec=replace(item.spec, primary_pod_labels=selector))
    made = job_document(item)["spec"]
    assert isinstance(made, dict)
    return list(made.get("runtimePatches", []))


def patch_for(name: str) -> JsonObject:
    pod: JsonObject = {"metadata": {"labels": {**LABELS, "role": "master"}}}
    job: JsonObject = {"name": name, "template": {"spec": {"template": pod}}}
    spec: JsonObject = {"template": {"spec": {"replicatedJobs": [job]}}}
    return {"manager": "trialwatch.dev/labels", "trainingRuntimeSpec": spec}


def test_by_default_the_pods_of_the_node_job_are_labelled() -> None:
    assert patches_of(TRAIN_JOB, BY_DEFAULT) == [patch_for("node")]
    assert LABELS[TRIAL_LABEL] == "t"


def test_the_job_that_the_experiment_names_is_labelled_beside_the_users_own_patches() -> None:
    own = {"manager": "team.example/volumes"}
    job: JsonObject = {**TRAIN_JOB, "spec": {"runtimePatches": [own]}}

    assert patches_of(job, {JOB_LABEL: "trainer"}) == [own, patch_for("trainer")]


@pytest.mark.parametrize(
    ("job", "selector"),
    [
        (TRAIN_JOB, {"role": "driver"}),
        ({**TRAIN_JOB, "kind": "TrainingRuntime"}, {JOB_LABEL: "node"}),
        ({**TRAIN_JOB, "apiVersion": "example.dev/v1"}, {JOB_LABEL: "node"}),
    ],
)
def test_without_a_named_job_and_for_another_kind_nothing_is_patched(
    job: JsonObject, selector: dict[str, str]
) -> None:
    assert patches_of(job, selector) == []
