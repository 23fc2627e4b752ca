"""Read a job's document to run it here: a batch/v1 Job, or a bare Pod."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from api.documents import mapping_at
from api.errors import Fault, SpecError, UserError
from api.faults import invalid, required
from api.objects.fields import Field
from api.types import JsonObject
from runner.pods.pod_spec import RestartPolicy, read_pod

BACKOFF_LIMIT = 6
"""Kubernetes' default."""
JOB, POD = ("batch/v1", "Job"), ("v1", "Pod")
_LONGEST = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """The pod of a job, and how often it may fail."""

    pod: JsonObject
    """The pod's metadata and spec, as the user wrote them."""
    bare: bool = False
    """The job is the pod itself; it is not retried."""
    backoff_limit: int = BACKOFF_LIMIT
    deadline: int | None = None


def read_job(document: JsonObject) -> JobSpec:
    """Read a job.

    Raises:
        UserError: the job cannot run on this machine.
    """
    kind = (str(document.get("apiVersion")), str(document.get("kind")))
    if kind == POD:
        return _bare(document)
    if kind != JOB:
        raise UserError(
            f"kind {kind[1]} ({kind[0]}) needs an operator, which this machine does not have:"
            " write a batch/v1 Job or a v1 Pod, or run the experiment in a cluster"
        )
    return _job(document)


def _bare(document: JsonObject) -> JobSpec:
    form = JobSpec(pod=document, bare=True, backoff_limit=0)
    pod = read_pod(document)
    if pod.restart_policy is RestartPolicy.ALWAYS:
        raise SpecError((_endless(document, "spec.restartPolicy"),))
    return form


def _job(document: JsonObject) -> JobSpec:
    root = Field(document).open_ended()
    spec = root.at("spec").open_ended()
    template = spec.at("template").mapping() or {}
    limit = spec.at("backoffLimit").integer(limit=_LONGEST)
    for name in ("completions", "parallelism"):
        count = spec.at(name).integer(limit=_LONGEST)
        if count is not None and count != 1:
            spec.at(name).refuse("a trial has one pod on this machine; write 1, or delete it")
    if spec.at("suspend").flag():
        spec.at("suspend").refuse("this machine never resumes it; delete it")
    form = JobSpec(
        pod=template,
        backoff_limit=BACKOFF_LIMIT if limit is None else max(0, limit),
        deadline=spec.at("activeDeadlineSeconds").integer(limit=_LONGEST),
    )
    root.accept(form)
    pod = read_pod(template, "spec.template")
    if pod.restart_policy is RestartPolicy.ALWAYS:
        raise SpecError((_endless(template, "spec.template.spec.restartPolicy"),))
    return form


def _endless(pod: JsonObject, path: str) -> Fault:
    if not mapping_at(pod, "spec").get("restartPolicy"):
        return required(path, "must be specified; write Never, or OnFailure")
    why = "a container with this policy never ends; write Never or OnFailure"
    return invalid(path, RestartPolicy.ALWAYS.value, why)


def pod_of(form: JobSpec, job: JsonObject, *, name: str, uid: str) -> JsonObject:
    """Return the job's next pod, as the Job controller would create it."""
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
