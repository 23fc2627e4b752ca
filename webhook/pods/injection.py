"""The plan for a pod that gets the collector, and mostly the launcher: all kinds but Custom."""

from __future__ import annotations

from dataclasses import replace

from api import names
from api.faults import quoted
from api.types import JsonObject
from webhook.model.config import CollectorConfig
from webhook.model.lookups import ImageLookup
from webhook.model.plan import Plan, SidecarPosition
from webhook.model.pods import Mount
from webhook.model.reasons import Reason
from webhook.model.verdicts import Inject, Note, PodRefused
from webhook.pods.injection_request import InjectionRequest
from webhook.pods.metrics_file import NOTHING_SHARED, SharedDirectory, directory_of, share_directory
from webhook.pods.own_paths import check_own_paths
from webhook.pods.pushing import check_push, push_variables
from webhook.pods.sidecar import RUN_MOUNT, sidecar
from webhook.pods.token import token_parts
from webhook.pods.wrapping import launcher_prefix, unwrapped

_UNBUFFERED: JsonObject = {"name": names.UNBUFFERED_ENV, "value": "1"}
RUN_VOLUME: JsonObject = {"name": names.RUN_VOLUME, "emptyDir": {}}
STATE_VOLUME: JsonObject = {"name": names.STATE_VOLUME, "emptyDir": {}}
_DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


def plan_injection(plan: Plan, request: InjectionRequest) -> Inject:
    """Add the collector to a plan, and the launcher unless the pod does without it.

    Raises:
        PodRefused: the pod or the settings do not allow it.
    """
    collector = collector_of(request)
    check_free(request)
    check_push(request)
    files = share_metrics_directory(request, plan) if request.in_files else NOTHING_SHARED
    check_own_paths(files.collector)
    token = token_parts(request)
    plan, warning = _with_command(plan, request)
    is_wrapped = warning is None
    warnings = [warning] if warning else []
    if files.others_write:
        warnings.append(Note(Reason.SHARED_VOLUME, quoted(request.collection.path)))
    plan = replace(
        plan,
        env_defaults=(_UNBUFFERED,),
        env=(*plan.env, *push_variables(request)),
        mounts=(*plan.mounts, *files.trainer, *([RUN_MOUNT] if is_wrapped else [])),
        volumes=(*plan.volumes, *files.volumes, RUN_VOLUME, STATE_VOLUME, *token.volumes),
        own_annotations=token.annotations,
        collector=sidecar(
            request,
            collector,
            wrapped=is_wrapped,
            mounts=files.collector,
            token_mounts=token.mounts,
        ),
        position=SidecarPosition.NATIVE if request.native else SidecarPosition.FIRST,
    )
    if not request.native:
        # Without this annotation, `kubectl logs` shows the first container: the collector.
        plan = replace(plan, annotations={**plan.annotations, _DEFAULT_CONTAINER: plan.trainer})
    reason = Reason.INJECTED if is_wrapped else Reason.UNWRAPPED
    return Inject(reason=reason, plan=plan, warnings=tuple(warnings))


def share_metrics_directory(request: InjectionRequest, plan: Plan) -> SharedDirectory:
    """Share the directory of the metrics file; the plan's mounts count as the trainer's."""
    directory = directory_of(request.collection.path, request.collection.path_kind)
    planned = (
        Mount(volume=str(m["name"]), path=str(m["mountPath"]), document=m) for m in plan.mounts
    )
    return share_directory(
        directory, request.pod, request.trainer, (*request.trainer.mounts, *planned)
    )


def collector_of(request: InjectionRequest) -> CollectorConfig:
    """Return how to run the collector. Raises PodRefused: katib-config does not say it."""
    kind = request.collection.kind.value
    collector = request.config.collector_of(request.collection.kind)
    if collector is None:
        why = f"add an entry `kind: {kind}` with an image to runtime.metricsCollectors"
        raise PodRefused(Reason.CONFIG_INCOMPLETE, why)
    if not collector.image:
        raise PodRefused(
            Reason.CONFIG_INCOMPLETE, f"the entry `kind: {kind}` has no image; add its image"
        )
    if collector.is_katibs:
        why = (
            f"{quoted(collector.image)} of kind {kind}; name the image of trialwatch's collector"
            " under runtime.metricsCollectors"
        )
        raise PodRefused(Reason.KATIBS_IMAGE, why)
    return collector


def check_free(request: InjectionRequest) -> None:
    """Refuse a pod that uses the collector's names and paths for something else.

    Raises:
        PodRefused: names what is taken.
    """
    containers = [container.name for container in request.pod.containers]
    marked = any(names.MARKER_COMMAND in word for word in request.trainer.args)
    if marked and names.COLLECTOR_CONTAINER in containers:
        why = "let only one of the two webhooks handle the pods of the namespace"
        raise PodRefused(Reason.KATIB_WAS_HERE, why)
    for own in (RUN_VOLUME, STATE_VOLUME):
        name = str(own["name"])
        if "emptyDir" not in request.pod.volumes.get(name, own):
            why = f"its volume {name} is not an emptyDir; rename the volume"
            raise PodRefused(Reason.NAME_TAKEN, why)
    _check_state(request)
    for mount in request.trainer.mounts:
        if mount.path.rstrip("/") == names.RUN_DIR and mount.volume != names.RUN_VOLUME:
            why = f"it mounts volume {mount.volume} at {names.RUN_DIR}; mount it at another path"
            raise PodRefused(Reason.NAME_TAKEN, why)


def _check_state(request: InjectionRequest) -> None:
    """Refuse a pod in which a container other than the collector has the collector's state."""
    for container in (*request.pod.init_containers, *request.pod.containers):
        if container.name == names.COLLECTOR_CONTAINER:
            continue
        if any(mount.volume == names.STATE_VOLUME for mount in container.mounts):
            why = (
                f"container {container.name} mounts volume {names.STATE_VOLUME}, which is the"
                " collector's alone; rename the volume"
            )
            raise PodRefused(Reason.NAME_TAKEN, why)


def _with_command(plan: Plan, request: InjectionRequest) -> tuple[Plan, Note | None]:
    """Put the launcher in front of the trainer's command, or return a note why it is not there.

    | annotation `wrap` | command in the pod | image's command | files and native | what is done |
    |---|---|---|---|---|
    | `false` | | | yes | no launcher |
    | `false` | | | no | refused |
    | else | yes | | | launcher |
    | else | no | not looked up | | the plan asks for it |
    | else | no | known | | launcher |
    | else | no | unknown | yes | no launcher |
    | else | no | unknown | no | refused |
    """
    if not request.settings.wrap:
        note = Note(Reason.WRAP_DECLINED, f"{names.WRAP_ANNOTATION} is false")
        return plan, _without_launcher(request, note, Reason.NEEDS_LAUNCHER)
    command = unwrapped(request.trainer.command)
    if not command:
        if not request.context.image_asked:
            return replace(_wrapped(plan, request), image_lookup=_image_lookup(request)), None
        image = request.context.image
        if image is None:
            cause = f": {request.context.image_cause}" if request.context.image_cause else ""
            note = Note(Reason.IMAGE_SILENT, f"image {quoted(request.trainer.image)}{cause}")
            return plan, _without_launcher(request, note, Reason.COMMAND_UNKNOWN)
        command = image.in_a_pod(request.trainer.args)
        if not command and not request.trainer.args:
            why = (
                f"neither container {request.trainer.name} nor image"
                f" {quoted(request.trainer.image)} has a command; set `command`"
            )
            raise PodRefused(Reason.COMMAND_UNKNOWN, why)
    return replace(_wrapped(plan, request), command=command), None


def _wrapped(plan: Plan, request: InjectionRequest) -> Plan:
    words = launcher_prefix(
        capture=not request.path,
        file="" if request.events else request.path,
        drain=request.drain,
        grace=request.pod.grace,
        deadline=request.pod.deadline,
    )
    return replace(plan, wrapper=words)


def _image_lookup(request: InjectionRequest) -> ImageLookup:
    return ImageLookup(
        image=request.trainer.image,
        namespace=request.context.namespace,
        pull_secrets=request.pod.pull_secrets,
        architecture=request.pod.architecture,
    )


def _without_launcher(request: InjectionRequest, note: Note, otherwise: Reason) -> Note:
    """Return the note if the collector works without the launcher; else refuse the pod."""
    faults = {
        "only the launcher can capture standard output": not request.path,
        "only the launcher can stop the trainer early": bool(request.collection.stop_rules),
        "a collector that is an ordinary container (katib-config: `sidecar: container`) needs the"
        " launcher to see the trainer's end": not request.native,
    }
    for fault, holds in faults.items():
        if holds:
            remedy = (
                f"set `command` of container {request.trainer.name}"
                if otherwise is Reason.COMMAND_UNKNOWN
                else f"delete the annotation {names.WRAP_ANNOTATION}"
            )
            raise PodRefused(otherwise, f"{fault} ({note.detail}); {remedy}")
    return note
