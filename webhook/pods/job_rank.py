"""Which pod of its job a pod is, by the labels of the controllers that make pods."""

from __future__ import annotations

import re

from api import names
from api.reductions import PodReduction, Reduction
from webhook.model.pods import PodMetadata
from webhook.model.reasons import Reason
from webhook.model.verdicts import PodRefused

_COMPLETION_INDEX = "batch.kubernetes.io/job-completion-index"
"""A label, and in older versions of Kubernetes only an annotation, of the pods of Indexed Jobs."""
_JOB_INDEX = "jobset.sigs.k8s.io/job-index"
"""Counts within a replicated job of the JobSet."""
_REPLICATED_JOB = "jobset.sigs.k8s.io/replicatedjob-name"
_REPLICA_TYPE = "training.kubeflow.org/replica-type"
_REPLICA_INDEX = "training.kubeflow.org/replica-index"
_JOB_NAME = re.compile(r"[A-Za-z0-9-]{1,63}")
_WORD, _NUMBER = re.compile(r"[A-Za-z0-9._-]{1,63}"), re.compile(r"[0-9]{1,9}")


def pod_reduction(metadata: PodMetadata, reduction: Reduction) -> PodReduction | None:
    """Return how the pod's job is reduced, and the pod's name in the job; None for `any`.

    | labels of | name in the job | rank 0 |
    |---|---|---|
    | an Indexed Job | its completion index | index 0 |
    | a JobSet or TrainJob | its replicated job, and both indexes, such as `node.0-1` | both 0 |
    | the training operator | its type and its index, such as `worker-1` | index 0 |
    | others | none: each start of a trainer is a pod of its own | refused |

    Raises:
        PodRefused: `rank0` is wanted, and the pod has no index.
    """
    if reduction is Reduction.ANY:
        return None
    pod = _name(metadata)
    if not pod and reduction is Reduction.RANK0:
        why = (
            f"{names.REDUCE_ANNOTATION} is rank0, and the pod has no index; write `completionMode:"
            " Indexed` into the Job, or use `mean`, `min` or `max`"
        )
        raise PodRefused(Reason.ANNOTATION_WRONG, why)
    return PodReduction(reduction=reduction, pod=pod)


def _name(metadata: PodMetadata) -> str:
    index = _number(metadata, _COMPLETION_INDEX)
    if index:
        job, name = _number(metadata, _JOB_INDEX), metadata.labels.get(_REPLICATED_JOB, "")
        if not job:
            return index
        return f"{name}.{job}-{index}" if _JOB_NAME.fullmatch(name) else f"{job}-{index}"
    replica, kind = _number(metadata, _REPLICA_INDEX), metadata.labels.get(_REPLICA_TYPE, "")
    if not replica:
        return ""
    return f"{kind}-{replica}" if _WORD.fullmatch(kind) else replica


def _number(metadata: PodMetadata, name: str) -> str:
    """Return the text of a label or annotation if it is a number, else ""."""
    text = metadata.labels.get(name) or metadata.annotations.get(name) or ""
    return text if _NUMBER.fullmatch(text) else ""
