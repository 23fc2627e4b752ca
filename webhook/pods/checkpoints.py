"""The volume over which a population-based search hands its trials' checkpoints on."""

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
    """Add the volume to a plan, and the trial's part of it to the trainer.

    Raises:
        Refused: the pod has another volume of that name.
    """
    wanted = collection.checkpoints
    if wanted is None:
        return plan
    claim: JsonObject = {"claimName": wanted.claim}
    volume: JsonObject = {"name": SUGGESTION_VOLUME, "persistentVolumeClaim": claim}
    there = pod.volumes.get(SUGGESTION_VOLUME, volume).get("persistentVolumeClaim")
    if not isinstance(there, dict) or there.get("claimName") != wanted.claim:
        why = f"the volume {SUGGESTION_VOLUME} is not claim {wanted.claim}; give it another name"
        raise PodRefused(Reason.NAME_TAKEN, why)
    mount: JsonObject = {
        "name": SUGGESTION_VOLUME,
        "mountPath": wanted.directory,
        "subPath": wanted.sub_path,
    }
    return replace(plan, mounts=(*plan.mounts, mount), volumes=(*plan.volumes, volume))
