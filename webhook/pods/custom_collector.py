"""The plan for a pod whose metrics are collected by a container of the user's own."""

from __future__ import annotations

from dataclasses import replace

from api.objects.fields import Field
from api.types import Json, JsonObject
from webhook.model.plan import Plan, SidecarPosition
from webhook.model.reasons import Reason
from webhook.model.verdicts import Inject, Note, PodRefused
from webhook.pods.injection import share_metrics_directory
from webhook.pods.injection_request import InjectionRequest
from webhook.pods.metrics_file import NOTHING_SHARED


def plan_custom_collector(plan: Plan, request: InjectionRequest) -> Inject:
    """Add the user's container as it is, last as Katib has it, and the directory it reads.

    Raises:
        Refused: there is none, or it cannot be in this pod.
    """
    collector = _container(request)
    files = share_metrics_directory(request, plan) if request.collection.path else NOTHING_SHARED
    # It may write there: in Katib's own protocol, a collector tells the trainer by such a file.
    mounts = tuple(_writable(mount) for mount in files.collector)
    plan = replace(
        plan,
        mounts=(*plan.mounts, *files.trainer),
        volumes=(*plan.volumes, *files.volumes),
        collector=_with_mounts(collector, mounts),
        position=SidecarPosition.LAST,
    )
    return Inject(reason=Reason.CUSTOM, plan=plan, warnings=(Note(Reason.NO_SHARED_PROCESSES),))


def _container(request: InjectionRequest) -> JsonObject:
    collector = request.collection.custom
    name = Field(collector or {}).at("name")
    if collector is None or not isinstance(name.value, str) or not name.value:
        why = "write a container with a name in spec.metricsCollector.collector.customCollector"
        raise PodRefused(Reason.CUSTOM_WRONG, why)
    if name.value == request.trainer.name:
        raise PodRefused(Reason.CUSTOM_WRONG, f"its name is the trainer's, {name.value}; change it")
    return collector


def _writable(mount: JsonObject) -> JsonObject:
    return {name: value for name, value in mount.items() if name != "readOnly"}


def _with_mounts(collector: JsonObject, mounts: tuple[JsonObject, ...]) -> JsonObject:
    listed = collector.get("volumeMounts")
    there: list[Json] = list(listed) if isinstance(listed, list | tuple) else []
    places = [m.get("mountPath") for m in there if isinstance(m, dict)]
    added = [mount for mount in mounts if mount["mountPath"] not in places]
    return {**collector, "volumeMounts": [*there, *added]} if added else collector
