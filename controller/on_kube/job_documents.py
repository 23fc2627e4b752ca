"""What a job's document says: its name, its owners, whether it is being deleted."""

from __future__ import annotations

from collections.abc import Mapping

from api.documents import mapping_at, mappings_at
from api.names import UNAVAILABLE_TIME
from api.objects.metadata import API_VERSION
from api.types import Json, JsonObject, Trial
from controller.reconcile.views import Key
from kube.cluster import Ref


def job_ref(trial: Trial) -> Ref:
    """Return the reference of a trial's job: the kind of its run spec, the trial's own name."""
    spec = trial.spec.run_spec or {}
    return Ref(
        api_version=str(spec.get("apiVersion", "")),
        kind=str(spec.get("kind", "")),
        namespace=trial.metadata.namespace,
        name=trial.metadata.name,
    )


def trial_key(job: Ref) -> Key:
    """Return the key of a job's trial; both have one name."""
    return Key(namespace=job.namespace, name=job.name)


def is_owned_by(document: JsonObject, trial: Trial) -> bool:
    """Return whether a trial owns an object; an object of its name may belong to another owner."""
    owners = mappings_at(document, "metadata", "ownerReferences")
    return any(_is_trial(owner) and owner.get("uid") == trial.metadata.uid for owner in owners)


def without_managed_fields(document: JsonObject) -> JsonObject | None:
    """Return a job without its managed fields; None if no trial owns it."""
    if not any(map(_is_trial, mappings_at(document, "metadata", "ownerReferences"))):
        return None
    metadata = mapping_at(document, "metadata")
    slim = {key: part for key, part in metadata.items() if key != "managedFields"}
    return {**document, "metadata": slim}


def marked_as_deleted(document: JsonObject) -> JsonObject:
    """Return a job with a deletion timestamp, as it looks while the cluster deletes it."""
    metadata = mapping_at(document, "metadata")
    return {**document, "metadata": {**metadata, "deletionTimestamp": UNAVAILABLE_TIME}}


def has_had_pods(document: JsonObject) -> bool:
    """Return whether the job's status counts any pod, now or earlier."""
    status = mapping_at(document, "status")
    return any(status.get(count) for count in ("active", "ready", "succeeded", "failed"))


def _is_trial(owner: Mapping[str, Json]) -> bool:
    return owner.get("apiVersion") == API_VERSION and owner.get("kind") == "Trial"
