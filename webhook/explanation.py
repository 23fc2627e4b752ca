"""Explains a pod: the webhook's verdict, why the pod is as it is, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from api import names
from api.documents import mappings_at, text_at
from api.types import JsonObject
from kube.cluster import Ref, labels_of
from webhook.driver.decision_driver import VerdictOnPod
from webhook.model.verdicts import Inject, Refuse, Skip, Verdict
from webhook.pods.selectors import entries_for

_GIVE_LABEL = (
    f"to collect its metrics, set the label {names.TRIAL_LABEL} in its job's pod template to the"
    f' name of its trial, or set the label {names.COLLECT_LABEL}: "true" and the annotation'
    f" {names.METRICS_ANNOTATION}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PodInspection:
    """A pod, its verdict, and what the cluster says about the webhook."""

    pod: JsonObject
    about: Ref
    """The object that the user named: the pod, or a job that has no pod yet."""
    decided: VerdictOnPod
    namespace: JsonObject = field(default_factory=dict)
    configuration: JsonObject | None = None
    """The webhook's configuration; None: it does not exist, or reading it is forbidden."""
    unread: str = ""
    """Why the namespace or the configuration could not be read; empty: both were read."""

    @property
    def exists(self) -> bool:
        """Whether the user named a pod, which is then in the cluster."""
        return self.about.kind == "Pod"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The lines to show, and whether the pod is as it should be."""

    lines: tuple[str, ...]
    healthy: bool


def explain(inspection: PodInspection) -> Explanation:
    """Explain a pod.

    | verdict | the pod has the collector | healthy |
    |---|---|---|
    | inject, with a collector | yes, or there is no pod yet | yes |
    | inject, with a collector | no | no: the API server did not call the webhook |
    | inject, without a collector | any | yes |
    | skip | any | yes |
    | refuse | any | no |
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
    collector = verdict.plan.collector or verdict.plan.custom
    if collector is None or not inspection.exists:
        return [], True
    name = str(collector.get("name", names.COLLECTOR_CONTAINER))
    if name in _containers(inspection.pod):
        where = f"-n {inspection.about.namespace} {inspection.about.name} -c {name}"
        return [f"the pod has the collector; read its log with: kubectl logs {where}"], True
    return [f"the pod does not have the container {name}", *_why_not_asked(inspection)], False


def _of_refused(inspection: PodInspection) -> Iterator[str]:
    if inspection.exists:
        yield "the pod exists nevertheless:"
        yield from _why_not_asked(inspection)
    else:
        yield "so the job gets no pod; correct that, and its controller tries again"


def _why_not_asked(inspection: PodInspection) -> Iterator[str]:
    """Say why the API server did not call the webhook, as far as the cluster still shows it."""
    if inspection.unread:
        yield f"cannot find out why the API server did not call the webhook: {inspection.unread}"
        return
    if inspection.configuration is None:
        yield (
            f"the webhook is not registered: MutatingWebhookConfiguration {names.OWN_WEBHOOK} does"
            " not exist; install it, then create the pod again"
        )
        return
    entries = list(
        entries_for(
            inspection.configuration, labels_of(inspection.pod), labels_of(inspection.namespace)
        )
    )
    if not entries:
        yield (
            "the API server does not call the webhook for this pod: no selector of the"
            f" configuration {names.OWN_WEBHOOK} matches it. Label the namespace"
            f" {names.INJECTION_LABEL}=enabled, or set the label {names.TRIAL_LABEL} on the pod;"
            " then create the pod again"
        )
    elif _created(inspection.pod) < _created(inspection.configuration):
        yield "the pod is older than the webhook's configuration; create it again"
    else:
        yield (
            f"the pod's labels match {' and '.join(entries)} of the webhook's configuration; either"
            " the labels were added later, or the matchConditions leave the pod out, or the pod has"
            " no sign of a trial and the webhook was away when the pod was created; create the pod"
            " again with its labels"
        )


def _containers(pod: JsonObject) -> set[str]:
    kinds = ("initContainers", "containers")
    return {text_at(c, "name") for kind in kinds for c in mappings_at(pod, "spec", kind)}


def _created(document: JsonObject) -> str:
    """Return the creation time of an object, as text in a form that sorts by time."""
    return text_at(document, "metadata", "creationTimestamp")
