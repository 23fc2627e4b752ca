"""The plan for a pod whose metrics are collected from its output, or from a file."""

from __future__ import annotations

from dataclasses import replace

from api import names
from api.faults import quoted
from api.types import JsonObject
from webhook.model.config import CollectorConfig
from webhook.model.images import ImageWanted
from webhook.model.plan import Place, Plan
from webhook.model.pods import Mount
from webhook.model.reasons import Reason
from webhook.model.verdicts import Inject, Note, Refused
from webhook.pods.injection_request import Case
from webhook.pods.metrics_file import NOTHING_SHARED, Shared, directory_of, shared
from webhook.pods.sidecar import RUN_MOUNT, sidecar
from webhook.pods.wrapping import unwrapped, wrapper

_UNBUFFERED: JsonObject = {"name": names.UNBUFFERED_ENV, "value": "1"}
_RUN_VOLUME: JsonObject = {"name": names.RUN_VOLUME, "emptyDir": {}}
_DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
_KATIBS_IMAGE = "/katib/file-metrics-collector"


def injection(plan: Plan, case: Case) -> Inject:
    """Add the collector, and the launcher where it can be, to a plan that has the rest.

    Raises:
        Refused: the pod does not allow it.
    """
    collector = _collector_of(case)
    _check_free(case)
    files = shared_with(case, plan) if case.file else NOTHING_SHARED
    plan, warning = _with_command(plan, case)
    is_wrapped = warning is None
    warnings = [warning] if warning else []
    if files.others_write:
        warnings.append(Note(Reason.SHARED_VOLUME, quoted(case.collection.path)))
    if _KATIBS_IMAGE in collector.image:
        warnings.append(Note(Reason.KATIBS_IMAGE, collector.image))
    plan = replace(
        plan,
        env_defaults=(_UNBUFFERED,),
        mounts=(*plan.mounts, *files.trainer, *([RUN_MOUNT] if is_wrapped else [])),
        volumes=(*plan.volumes, *files.volumes, _RUN_VOLUME),
        collector=sidecar(case, collector, wrapped=is_wrapped, mounts=files.collector),
        place=Place.NATIVE if case.native else Place.FIRST,
    )
    if not case.native:
        # kubectl shows a pod's first container, unless it is told otherwise.
        plan = replace(plan, annotations={**plan.annotations, _DEFAULT_CONTAINER: plan.trainer})
    reason = Reason.INJECTED if is_wrapped else Reason.UNWRAPPED
    return Inject(reason=reason, plan=plan, warnings=tuple(warnings))


def shared_with(case: Case, plan: Plan) -> Shared:
    """Say how the metrics file's directory is shared; mounts of the plan count as the trainer's."""
    directory = directory_of(case.collection.path, case.collection.path_kind)
    planned = (
        Mount(volume=str(m["name"]), path=str(m["mountPath"]), document=m) for m in plan.mounts
    )
    return shared(directory, case.pod, case.trainer, (*case.trainer.mounts, *planned))


def _collector_of(case: Case) -> CollectorConfig:
    kind = case.collection.kind.value
    collector = case.config.collectors.get(case.collection.kind)
    if collector is None:
        why = f"add an entry `kind: {kind}` to runtime.metricsCollectors"
        raise Refused(Reason.CONFIG_INCOMPLETE, why)
    if not collector.image:
        raise Refused(Reason.CONFIG_INCOMPLETE, f"the entry `kind: {kind}` has no image; add one")
    return collector


def _check_free(case: Case) -> None:
    """See that nobody else uses our names and places in the pod."""
    there = [one.name for one in case.pod.containers]
    marked = any(names.MARKER_COMMAND in word for word in case.trainer.args)
    if marked and names.COLLECTOR_CONTAINER in there:
        why = "let one of the two webhooks see the namespace, not both"
        raise Refused(Reason.KATIB_WAS_HERE, why)
    if "emptyDir" not in case.pod.volumes.get(names.RUN_VOLUME, _RUN_VOLUME):
        why = f"the volume {names.RUN_VOLUME} is no emptyDir; give it another name"
        raise Refused(Reason.NAME_TAKEN, why)
    for mount in case.trainer.mounts:
        if mount.path.rstrip("/") == names.RUN_DIR and mount.volume != names.RUN_VOLUME:
            why = f"volume {mount.volume} is mounted at {names.RUN_DIR}; mount it elsewhere"
            raise Refused(Reason.NAME_TAKEN, why)


def _with_command(plan: Plan, case: Case) -> tuple[Plan, Note | None]:
    """Put the launcher before the trainer's command, or say why it is not there.

    | annotation `wrap` | command in the pod | registry | File and native | what is done |
    |---|---|---|---|---|
    | `false` | | | yes | not wrapped |
    | `false` | | | no | refused |
    | else | yes | | | wrapped |
    | else | no | not asked | | to be asked |
    | else | no | answered | | wrapped |
    | else | no | silent | yes | not wrapped |
    | else | no | silent | no | refused |
    """
    if not case.choices.wrap:
        note = Note(Reason.WRAP_DECLINED, f"{names.WRAP_ANNOTATION} is false")
        return plan, _without_launcher(case, note, Reason.NEEDS_LAUNCHER)
    command = unwrapped(case.trainer.command)
    if not command:
        if not case.request.image_asked:
            return replace(_wrapped(plan, case), image_wanted=_image_wanted(case)), None
        image = case.request.image
        if image is None:
            cause = f": {case.request.image_cause}" if case.request.image_cause else ""
            note = Note(Reason.IMAGE_SILENT, f"image {quoted(case.trainer.image)}{cause}")
            return plan, _without_launcher(case, note, Reason.COMMAND_UNKNOWN)
        command = image.in_a_pod(case.trainer.args)
        if not command and not case.trainer.args:
            why = f"image {quoted(case.trainer.image)} has none either; set `command`"
            raise Refused(Reason.COMMAND_UNKNOWN, why)
    return replace(_wrapped(plan, case), command=command), None


def _wrapped(plan: Plan, case: Case) -> Plan:
    words = wrapper(
        capture=not case.file,
        file=case.collection.path if case.file else "",
        drain=case.drain,
        grace=case.pod.grace,
        deadline=case.pod.deadline,
    )
    return replace(plan, wrapper=words)


def _image_wanted(case: Case) -> ImageWanted:
    return ImageWanted(
        image=case.trainer.image,
        namespace=case.request.namespace,
        pull_secrets=case.pod.pull_secrets,
        architecture=case.pod.architecture,
    )


def _without_launcher(case: Case, note: Note, otherwise: Reason) -> Note:
    """Give the note back where the collector can do without the launcher; else refuse."""
    faults = {
        "standard output is captured by the launcher": not case.file,
        "an early stop is the launcher's work": bool(case.collection.stop_rules),
        "an ordinary container (katib-config: `sidecar: container`) learns of the trainer's end by"
        " the launcher": not case.native,
    }
    for fault, holds in faults.items():
        if holds:
            remedy = (
                f"set `command` of container {case.trainer.name}"
                if otherwise is Reason.COMMAND_UNKNOWN
                else f"delete the annotation {names.WRAP_ANNOTATION}"
            )
            raise Refused(otherwise, f"{fault} ({note.detail}); {remedy}")
    return note
