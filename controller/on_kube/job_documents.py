"""What a job's document says: its name, its owners, whether it is being deleted."""

from __future__ import annotations

from collections.abc import Mapping

from api.names import UNAVAILABLE_TIME
from api.objects.metadata import API_VERSION
from api.types import Json, JsonObject, Trial
from controller.on_kube.pod_facts import listed
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
    owners = listed(document, "metadata", "ownerReferences")
    return any(_is_trial(owner) and owner.get("uid") == trial.metadata.uid for owner in owners)


def without_managed_fields(document: JsonObject) -> JsonObject | None:
    """Return a job without its managed fields; None if no trial owns it."""
    if not any(_is_trial(owner) for owner in listed(document, "metadata", "ownerReferences")):
        return None
    metadata = document["metadata"]
    if not isinstance(metadata, Mapping):
        return None
    slim = {key: part for key, part in metadata.items() if key != "managedFields"}
    return {**document, "metadata": slim}


def marked_as_deleted(document: JsonObject) -> JsonObject:
    """Return a job with a deletion timestamp, as it looks while the cluster deletes it."""
    metadata = document["metadata"]
    known = metadata if isinstance(metadata, Mapping) else {}
    return {**document, "metadata": {**known, "deletionTimestamp": UNAVAILABLE_TIME}}


def has_had_pods(document: JsonObject) -> bool:
    """Return whether the job's status counts any pod, now or earlier."""
    status = document.get("status")
    counts = ("active", "ready", "succeeded", "failed")
    return isinstance(status, Mapping) and any(status.get(count) for count in counts)


def _is_trial(owner: Mapping[str, Json]) -> bool:
    return owner.get("apiVersion") == API_VERSION and owner.get("kind") == "Trial"
