"""The volume in which the trials of a population-based search share their checkpoints."""

from __future__ import annotations

from dataclasses import replace

from api.names import SUGGESTION_VOLUME
from api.types import JsonObject
from webhook.model.plan import Plan
from webhook.model.pods import Pod
from webhook.model.reasons import Reason
from webhook.model.verdicts import PodRefused
from webhook.pods.collection import Collection


def with_checkpoints(plan: Plan, collection: Collection, pod: Pod) -> Plan:
    """Add the volume to a plan, and mount the trial's directory of it in the trainer.

    Raises:
        PodRefused: the pod has a different volume of that name.
    """
    checkpoints = collection.checkpoints
    if checkpoints is None:
        return plan
    claim: JsonObject = {"claimName": checkpoints.claim}
    volume: JsonObject = {"name": SUGGESTION_VOLUME, "persistentVolumeClaim": claim}
    existing = pod.volumes.get(SUGGESTION_VOLUME, volume).get("persistentVolumeClaim")
    if not isinstance(existing, dict) or existing.get("claimName") != checkpoints.claim:
        why = (
            f"volume {SUGGESTION_VOLUME} must be for claim {checkpoints.claim}; rename the pod's"
            " own volume"
        )
        raise PodRefused(Reason.NAME_TAKEN, why)
    mount: JsonObject = {
        "name": SUGGESTION_VOLUME,
        "mountPath": checkpoints.directory,
        "subPath": checkpoints.sub_path,
    }
    return replace(plan, mounts=(*plan.mounts, mount), volumes=(*plan.volumes, volume))
