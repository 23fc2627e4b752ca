"""`metadata`, `status.conditions`, `apiVersion` and `kind`."""

from __future__ import annotations

from api.types import Condition, ConditionStatus, Json, ObjectMeta, OwnerReference

from .fields import Field
from .rendering import present

API_VERSION = "kubeflow.org/v1beta1"
_INT64_MAX = 2**63 - 1


def check_head(f: Field, kind: str) -> None:
    """Check `apiVersion` and `kind`."""
    _must_be(f.at("apiVersion"), API_VERSION)
    _must_be(f.at("kind"), kind)


def _must_be(f: Field, wanted: str) -> None:
    if f.absent:
        f.require(f"must be {wanted}")
    elif f.value != wanted:
        f.refuse(f"must be {wanted}")


def render_head(kind: str) -> dict[str, Json]:
    """Write `apiVersion` and `kind`."""
    return {"apiVersion": API_VERSION, "kind": kind}


def parse_metadata(f: Field) -> ObjectMeta:
    """Read the parts of `metadata` that trialwatch uses; other parts are ignored."""
    f.open_ended()
    return ObjectMeta(
        name=f.at("name").text(),
        generate_name=f.at("generateName").text(),
        namespace=f.at("namespace").text(),
        uid=f.at("uid").text(),
        labels=f.at("labels").text_map(),
        annotations=f.at("annotations").text_map(),
        creation_timestamp=f.at("creationTimestamp").optional_text(),
        deletion_timestamp=f.at("deletionTimestamp").optional_text(),
        resource_version=f.at("resourceVersion").text(),
        generation=f.at("generation").integer(limit=_INT64_MAX),
        finalizers=f.at("finalizers").texts(),
        owner_references=f.at("ownerReferences").records(_parse_owner),
    )


def _parse_owner(f: Field) -> OwnerReference:
    f.open_ended()
    return OwnerReference(
        api_version=f.at("apiVersion").text(),
        kind=f.at("kind").text(),
        name=f.at("name").text(),
        uid=f.at("uid").text(),
        controller=f.at("controller").flag(),
        block_owner_deletion=f.at("blockOwnerDeletion").flag(),
    )


def render_metadata(meta: ObjectMeta) -> Json:
    """Write `metadata`."""
    return present(
        {
            "name": meta.name,
            "generateName": meta.generate_name,
            "namespace": meta.namespace,
            "uid": meta.uid,
            "labels": dict(meta.labels) or None,
            "annotations": dict(meta.annotations) or None,
            "creationTimestamp": meta.creation_timestamp,
            "deletionTimestamp": meta.deletion_timestamp,
            "resourceVersion": meta.resource_version,
            "generation": meta.generation,
            "finalizers": meta.finalizers,
            "ownerReferences": tuple(_render_owner(owner) for owner in meta.owner_references),
        }
    )


def _render_owner(owner: OwnerReference) -> Json:
    return present(
        {
            "apiVersion": owner.api_version,
            "kind": owner.kind,
            "name": owner.name,
            "uid": owner.uid,
            "controller": owner.controller or None,
            "blockOwnerDeletion": owner.block_owner_deletion or None,
        }
    )


def parse_condition(f: Field) -> Condition:
    """Read one condition; an unknown type is kept."""
    f.open_ended()
    return Condition(
        type=f.at("type").text(),
        status=f.at("status").choice(ConditionStatus, ConditionStatus.UNKNOWN),
        reason=f.at("reason").text(),
        message=f.at("message").text(),
        last_update_time=f.at("lastUpdateTime").optional_text(),
        last_transition_time=f.at("lastTransitionTime").optional_text(),
    )


def render_condition(condition: Condition) -> Json:
    """Write a condition; `type` and `status` are always written, even if empty."""
    head: dict[str, Json] = {"type": condition.type, "status": condition.status.value}
    return head | present(
        {
            "reason": condition.reason,
            "message": condition.message,
            "lastUpdateTime": condition.last_update_time,
            "lastTransitionTime": condition.last_transition_time,
        }
    )
