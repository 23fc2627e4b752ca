"""Says of a pod that is there what the webhook makes of it, why it is as it is, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from api import names
from api.types import JsonObject
from kube.cluster import Ref, labels_of
from webhook.driver.decision_driver import VerdictOnPod
from webhook.model.verdicts import Inject, Refuse, Skip, Verdict
from webhook.pods.selectors import entries_for

_GIVE_LABEL = (
    f"to have its metrics collected, give its job's template the label {names.TRIAL_LABEL} of its"
    f' trial, or the label {names.COLLECT_LABEL}: "true" and the annotation'
    f" {names.METRICS_ANNOTATION}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PodInspection:
    """What was found in the cluster."""

    pod: JsonObject
    about: Ref
    """What the user asked about: the pod, or a job that has yet to get one."""
    decided: VerdictOnPod
    namespace: JsonObject = field(default_factory=dict)
    configuration: JsonObject | None = None
    """The webhook's registration; None: there is none, or we may not read it."""
    unread: str = ""
    """Why namespace or registration are not known."""

    @property
    def exists(self) -> bool:
        """Whether the pod itself is in the cluster."""
        return self.about.kind == "Pod"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The lines to show, and whether all is as it should be."""

    lines: tuple[str, ...]
    healthy: bool


def explain(inspection: PodInspection) -> Explanation:
    """Explain a pod.

    | verdict | the collector is in the pod | all is well |
    |---|---|---|
    | injected | yes, or there is no pod yet | yes |
    | injected, and a collector belongs into it | no | no: the webhook was not asked |
    | injected, but no collector belongs into it | any | yes |
    | passed | any | yes |
    | refused | any | no |
    """
    lines = [str(inspection.about)]
    if inspection.decided.trial is not None:
        lines.append(f"  belongs to {inspection.decided.trial}")
    details, healthy = _details(inspection, inspection.decided.verdict)
    return Explanation(lines=(*lines, *(f"  {line}" for line in details)), healthy=healthy)


def _details(inspection: PodInspection, verdict: Verdict) -> tuple[list[str], bool]:
    match verdict:
        case Inject():
            lines = [f"{verdict.reason}: {verdict.reason.sentence}"]
            lines += [f"warning: {note.reason}: {note}" for note in verdict.warnings]
            more, healthy = _of_injected(inspection, verdict)
            return [*lines, *more], healthy
        case Refuse():
            return [f"refused: {verdict.reason}: {verdict}", *_of_refused(inspection)], False
        case Skip():
            return [f"{verdict.reason}: {verdict}", _GIVE_LABEL], True


def _of_injected(inspection: PodInspection, verdict: Inject) -> tuple[list[str], bool]:
    collector = verdict.plan.collector
    if collector is None or not inspection.exists:
        return [], True
    name = str(collector.get("name", names.COLLECTOR_CONTAINER))
    if name in _containers(inspection.pod):
        where = f"-n {inspection.about.namespace} {inspection.about.name} -c {name}"
        return [f"the collector is there: kubectl logs {where}"], True
    return [f"the container {name} is not in the pod", *_why_not_asked(inspection)], False


def _of_refused(inspection: PodInspection) -> Iterator[str]:
    if inspection.exists:
        yield "it is there nevertheless:"
        yield from _why_not_asked(inspection)
    else:
        yield "so it gets no pod; correct that, and its controller tries again"


def _why_not_asked(inspection: PodInspection) -> Iterator[str]:
    """Say why the webhook was not asked about a pod, as far as that can be seen afterwards."""
    if inspection.unread:
        yield f"why the webhook was not asked cannot be seen: {inspection.unread}"
        return
    if inspection.configuration is None:
        yield (
            f"the webhook is not registered: there is no MutatingWebhookConfiguration"
            f" {names.OWN_WEBHOOK}; install it, then create the pod anew"
        )
        return
    entries = list(
        entries_for(
            inspection.configuration, labels_of(inspection.pod), labels_of(inspection.namespace)
        )
    )
    if not entries:
        yield (
            "the webhook is not asked about such pods: no selector of the configuration"
            f" {names.OWN_WEBHOOK} matches it. Label the namespace"
            f" {names.INJECTION_LABEL}=enabled, or give the pod the label {names.TRIAL_LABEL},"
            " then create it anew"
        )
    elif _made(inspection.pod) < _made(inspection.configuration):
        yield "it is older than the webhook's configuration; create it anew"
    else:
        yield (
            f"its labels match the webhook's {' and '.join(entries)}; either they were put on"
            " later, or its matchConditions leave the pod out; create it anew with its labels"
        )


def _containers(pod: JsonObject) -> set[str]:
    spec = pod.get("spec")
    found: set[str] = set()
    for kind in ("initContainers", "containers"):
        listed = spec.get(kind) if isinstance(spec, dict) else None
        for one in listed if isinstance(listed, list) else []:
            found.add(str(one.get("name", "")) if isinstance(one, dict) else "")
    return found


def _made(document: JsonObject) -> str:
    """Return when an object was made; texts of this form are in the order of time."""
    metadata = document.get("metadata")
    return str(metadata.get("creationTimestamp", "")) if isinstance(metadata, dict) else ""
