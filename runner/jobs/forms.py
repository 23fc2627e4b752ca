"""A job's document, read for running it here: a batch/v1 Job, or a bare Pod."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from api.documents import mapping_at
from api.errors import Fault, SpecError, UserError
from api.faults import invalid
from api.objects.fields import Field
from api.types import JsonObject
from runner.pods.documents import RestartPolicy, read_pod

BACKOFF_LIMIT = 6
"""Kubernetes' own, where a Job says nothing."""
JOB, POD = ("batch/v1", "Job"), ("v1", "Pod")
_LONGEST = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JobForm:
    """The pod of a job, and how often it may fail."""

    pod: JsonObject
    """The pod's metadata and spec, as the user wrote them."""
    bare: bool = False
    """The job is the pod itself, and is not tried again."""
    backoff_limit: int = BACKOFF_LIMIT
    deadline: int | None = None


def read_form(document: JsonObject) -> JobForm:
    """Read a job.

    Raises:
        UserError: it cannot run on this machine; says why and what to do.
    """
    kind = (str(document.get("apiVersion")), str(document.get("kind")))
    if kind == POD:
        return _bare(document)
    if kind != JOB:
        raise UserError(
            f"kind {kind[1]} ({kind[0]}) needs its operator, and there is none on this machine:"
            " write a batch/v1 Job or a v1 Pod, or run the experiment in a cluster"
        )
    return _job(document)


def _bare(document: JsonObject) -> JobForm:
    form = JobForm(pod=document, bare=True, backoff_limit=0)
    pod = read_pod(document)
    if pod.restart_policy is RestartPolicy.ALWAYS:
        raise SpecError((_endless("spec.restartPolicy"),))
    return form


def _job(document: JsonObject) -> JobForm:
    root = Field(document).open_ended()
    spec = root.at("spec").open_ended()
    template = spec.at("template").mapping() or {}
    limit = spec.at("backoffLimit").integer(limit=_LONGEST)
    for name in ("completions", "parallelism"):
        count = spec.at(name).integer(limit=_LONGEST)
        if count is not None and count != 1:
            spec.at(name).refuse("a trial has one pod on this machine; write 1, or delete it")
    if spec.at("suspend").flag():
        spec.at("suspend").refuse("nobody would resume it on this machine; delete it")
    form = JobForm(
        pod=template,
        backoff_limit=BACKOFF_LIMIT if limit is None else max(0, limit),
        deadline=spec.at("activeDeadlineSeconds").integer(limit=_LONGEST),
    )
    root.accept(form)
    pod = read_pod(template, "spec.template")
    if pod.restart_policy is RestartPolicy.ALWAYS:
        raise SpecError((_endless("spec.template.spec.restartPolicy"),))
    return form


def _endless(path: str) -> Fault:
    why = "a container that is always started again never ends; write Never or OnFailure"
    return invalid(path, RestartPolicy.ALWAYS.value, why)


def pod_of(form: JobForm, job: JsonObject, *, name: str, uid: str) -> JsonObject:
    """Make the job's next pod, as the Job controller would."""
    metadata, owner = mapping_at(form.pod, "metadata"), mapping_at(job, "metadata")
    spec = {**mapping_at(form.pod, "spec")}
    spec.setdefault("restartPolicy", RestartPolicy.NEVER.value)
    own_metadata: dict[str, object] = {
        **metadata,
        "name": name,
        "namespace": owner.get("namespace"),
        "uid": uid,
    }
    if not form.bare:
        labels = {
            **mapping_at(metadata, "labels"),
            "batch.kubernetes.io/job-name": owner.get("name"),
            "job-name": owner.get("name"),
            "batch.kubernetes.io/controller-uid": owner.get("uid") or "",
            "controller-uid": owner.get("uid") or "",
        }
        reference = {
            "apiVersion": job.get("apiVersion"),
            "kind": job.get("kind"),
            "name": owner.get("name"),
            "uid": owner.get("uid") or "",
            "controller": True,
            "blockOwnerDeletion": True,
        }
        own_metadata |= {"labels": labels, "ownerReferences": [reference]}
    return cast(
        "JsonObject", {"apiVersion": "v1", "kind": "Pod", "metadata": own_metadata, "spec": spec}
    )
