"""The labels of a TrainJob's pods: it has no pod template, but it may patch that of its runtime.

The patch is for the replicated job that `primaryPodLabels` names (by default `node`). Kubeflow
Trainer v2.2 has `runtimePatches`, v2.0 does not: the API server drops the field there. Then, as
without a named job, the pods reach the webhook by the label of their namespace.
"""

from __future__ import annotations

from collections.abc import Mapping

from api.documents import items_at, mapping_at, text_at
from api.types import JsonObject

_GROUP = "trainer.kubeflow.org"
_JOB_LABEL = "jobset.sigs.k8s.io/replicatedjob-name"
_MANAGER = "trialwatch.dev/labels"
"""Whose patch it is; other managers have patches of their own."""


def with_pod_labels(
    document: JsonObject, selector: Mapping[str, str], labels: Mapping[str, str]
) -> JsonObject:
    """Return a TrainJob whose primary pods get the labels; any other job as it is."""
    group, _, _ = text_at(document, "apiVersion").rpartition("/")
    name = selector.get(_JOB_LABEL, "")
    if group != _GROUP or document.get("kind") != "TrainJob" or not name:
        return document
    pod: JsonObject = {"metadata": {"labels": dict(labels)}}
    job: JsonObject = {"name": name, "template": {"spec": {"template": pod}}}
    patch: JsonObject = {
        "manager": _MANAGER,
        "trainingRuntimeSpec": {"template": {"spec": {"replicatedJobs": [job]}}},
    }
    patches = [*items_at(document, "spec", "runtimePatches"), patch]
    return {**document, "spec": {**mapping_at(document, "spec"), "runtimePatches": patches}}
