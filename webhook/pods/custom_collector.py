"""The plan for a pod of collector kind Custom: the user brings the collector's container."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from api import names
from api.documents import items_at, mappings_at
from api.objects.fields import Field
from api.types import JsonObject
from webhook.model.plan import Plan, SidecarPosition
from webhook.model.reasons import Reason
from webhook.model.verdicts import Inject, Note, PodRefused
from webhook.pods.injection import (
    RUN_VOLUME,
    STATE_VOLUME,
    check_free,
    collector_of,
    share_metrics_directory,
)
from webhook.pods.injection_request import InjectionRequest
from webhook.pods.metrics_file import NOTHING_SHARED
from webhook.pods.pushing import check_push, custom_variables, push_variables
from webhook.pods.sidecar import RUN_MOUNT, sidecar
from webhook.pods.token import token_parts


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
        custom=_with_variables(_with_mounts(collector, mounts), custom_variables(request)),
    )
    if request.settings.push:
        plan = _with_receiver(plan, request)
    return Inject(reason=Reason.CUSTOM, plan=plan, warnings=(Note(Reason.NO_SHARED_PROCESSES),))


def _with_receiver(plan: Plan, request: InjectionRequest) -> Plan:
    """Add trialwatch's sidecar too, to which the trial's own collector pushes.

    It has no launcher: it accepts metrics until all other containers of the pod have ended, for a
    collector reports the last metrics after the training. So it cannot stop the trainer.
    """
    if not request.native:
        why = (
            f"{names.PUSH_ANNOTATION} is true for kind Custom, and a sidecar that is an ordinary"
            " container (katib-config: `sidecar: container`) does not see when the trial's own"
            " collector has ended; write `sidecar: native`, or delete the annotation"
        )
        raise PodRefused(Reason.NEEDS_LAUNCHER, why)
    unruled = replace(request.collection, stop_rules=(), early_stopping=None)
    request = replace(request, collection=unruled)
    collector = collector_of(request)
    check_free(request)
    check_push(request)
    token = token_parts(request)
    return replace(
        plan,
        env=(*plan.env, *push_variables(request)),
        mounts=(*plan.mounts, RUN_MOUNT),
        volumes=(*plan.volumes, RUN_VOLUME, STATE_VOLUME, *token.volumes),
        own_annotations=token.annotations,
        collector=sidecar(request, collector, wrapped=False, mounts=(), token_mounts=token.mounts),
        position=SidecarPosition.NATIVE,
    )


def _with_variables(collector: JsonObject, added: Iterable[JsonObject]) -> JsonObject:
    """Add variables; one that the container already has keeps its value."""
    existing = items_at(collector, "env")
    known = [variable.get("name") for variable in mappings_at(existing)]
    return {**collector, "env": [*existing, *(v for v in added if v["name"] not in known)]}


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
