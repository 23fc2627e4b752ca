"""The plan for a pod of collector kind Custom: the user brings the collector's container."""

from __future__ import annotations

from dataclasses import replace

from api.documents import items_at, mappings_at
from api.objects.fields import Field
from api.types import JsonObject
from webhook.model.plan import Plan, SidecarPosition
from webhook.model.reasons import Reason
from webhook.model.verdicts import Inject, Note, PodRefused
from webhook.pods.injection import share_metrics_directory
from webhook.pods.injection_request import InjectionRequest
from webhook.pods.metrics_file import NOTHING_SHARED


def plan_custom_collector(plan: Plan, request: InjectionRequest) -> Inject:
    """Add the user's container as the last one, as in Katib, and share the directory it reads.

    Raises:
        PodRefused: the container is missing or not valid, or the directory cannot be shared.
    """
    collector = _container(request)
    files = share_metrics_directory(request, plan) if request.collection.path else NOTHING_SHARED
    # Writable: in Katib's protocol a collector signals an early stop by a file in this directory.
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
        why = "set spec.metricsCollector.collector.customCollector to a container with a name"
        raise PodRefused(Reason.CUSTOM_WRONG, why)
    if name.value == request.trainer.name:
        raise PodRefused(Reason.CUSTOM_WRONG, f"it has the trainer's name, {name.value}; rename it")
    return collector


def _writable(mount: JsonObject) -> JsonObject:
    return {name: value for name, value in mount.items() if name != "readOnly"}


def _with_mounts(collector: JsonObject, mounts: tuple[JsonObject, ...]) -> JsonObject:
    existing = items_at(collector, "volumeMounts")
    paths = [mount.get("mountPath") for mount in mappings_at(existing)]
    added = [mount for mount in mounts if mount["mountPath"] not in paths]
    return {**collector, "volumeMounts": [*existing, *added]} if added else collector
