"""Which templates let their pods push: the annotation counts where the pod has it."""

from __future__ import annotations

from api.objects.push import may_push
from api.types import JsonObject

_ASKS: JsonObject = {"annotations": {"trialwatch.dev/push": "true"}}
_POD: JsonObject = {"containers": [{"name": "main"}]}


def test_the_annotation_of_a_pod_counts_in_each_kind_of_job() -> None:
    template: JsonObject = {"metadata": _ASKS, "spec": _POD}
    assert may_push({"kind": "Job", "spec": {"template": template}})
    assert may_push({"spec": {"replicaSpecs": {"Worker": {"template": template}}}})
    assert may_push({"spec": {"replicatedJobs": [{"template": {"spec": {"template": template}}}]}})
    assert may_push({"kind": "Pod", **template})


def test_the_annotation_counts_where_argo_and_tekton_give_it_to_their_pods() -> None:
    assert may_push({"spec": {"templates": [{"metadata": _ASKS, "container": {"image": "i"}}]}})
    assert may_push({"spec": {"templates": [{"metadata": _ASKS, "script": {"image": "i"}}]}})
    assert may_push({"kind": "Workflow", "spec": {"podMetadata": _ASKS}})
    assert may_push({"kind": "PipelineRun", "metadata": _ASKS, "spec": {}})
    assert not may_push({"kind": "Workflow", "metadata": _ASKS, "spec": {}})


def test_the_annotation_of_the_job_itself_does_not_count() -> None:
    assert not may_push({"kind": "Job", "metadata": _ASKS, "spec": {"template": {"spec": _POD}}})


def test_another_value_does_not_count() -> None:
    refused: JsonObject = {"annotations": {"trialwatch.dev/push": "false"}}
    assert not may_push({"spec": {"template": {"metadata": refused, "spec": _POD}}})
    assert not may_push(None)
