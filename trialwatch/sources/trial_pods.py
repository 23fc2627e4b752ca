"""Choose a trial's pod and container for its log, and say why there may be no log yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from api.documents import items_at, value_at
from api.errors import UserError
from api.faults import nearest
from api.names import COLLECTOR_CONTAINER, OTHER_COLLECTOR_CONTAINER, RUN_DIR
from api.objects.trials import parse_trial
from api.types import Json, JsonObject
from controller.reconcile.trial_states import has_ended as trial_has_ended
from trialwatch.sources.documents import name_of, namespace_of, oldest_first, shown_at
from ui.model.experiment_summary import measurements

_COLLECTORS = (COLLECTOR_CONTAINER, OTHER_COLLECTOR_CONTAINER)


def newest_pod(trial: JsonObject, pods: Sequence[JsonObject]) -> JsonObject | None:
    """Return a trial's newest pod, if possible one with the primary container; None if none."""
    primary = shown_at(trial, "spec", "primaryContainerName")
    train = [pod for pod in pods if primary in _names(pod)]
    return next(reversed(oldest_first(train or pods)), None)


def container_of(trial: JsonObject, pod: JsonObject, wanted: str = "") -> str:
    """Return the container of the log: the wanted one, or the one with the training's output.

    That is the container that trains. But if Katib's own webhook has redirected its output into a
    file, it is the collector, which prints the file.

    Raises:
        UserError: the pod has no such container.
    """
    there = list(_names(pod))
    if wanted and wanted not in there:
        known = f"it has {', '.join(there)}{nearest(wanted, there)}"
        raise UserError(f"pod {name_of(pod)} has no container {wanted}; {known}")
    if wanted:
        return wanted
    primary = shown_at(trial, "spec", "primaryContainerName")
    collector = next((name for name in there if name in _COLLECTORS), "")
    if collector and _printed_into_a_file(trial, pod, primary):
        return collector
    return primary if primary in there else there[0]


def why_not_begun(pod: JsonObject, container: str) -> str:
    """Return what a container waits for; "" if it has started, so that it has a log."""
    status = next((one for one in _statuses(pod) if shown_at(one, "name") == container), None)
    if value_at(status, "state", "running") or value_at(status, "state", "terminated"):
        return ""
    if value_at(status, "lastState", "terminated"):
        return ""
    waits = value_at(status, "state", "waiting") or _unscheduled(pod)
    words = [shown_at(waits, "reason"), shown_at(waits, "message")]
    return ": ".join(one for one in words if one) or "it has not started yet"


def without_pod(trial: JsonObject) -> UserError:
    """Return the error for a trial without a pod, with its known metrics."""
    name, place = name_of(trial), f"-n {namespace_of(trial)}"
    if not has_ended(trial):
        return UserError(
            f"trial {name} has no pod now: use -f to wait for one; `kubectl get events {place}` may"
            " show the cause"
        )
    seen = ", ".join(measurements(parse_trial(trial, unknown_fields=False))) or "nothing"
    return UserError(
        f"the pod of trial {name} was deleted, and its log with it;"
        f" spec.trialTemplate.retain: true keeps pods. Its metrics: {seen}"
        f" (`trialwatch get trials {place} {name} -o wide`)"
    )


def has_ended(trial: JsonObject) -> bool:
    """Return whether a trial has ended."""
    return trial_has_ended(parse_trial(trial, unknown_fields=False))


def _names(pod: JsonObject) -> Iterator[str]:
    for part in ("containers", "initContainers"):
        for one in items_at(pod, "spec", part):
            yield shown_at(one, "name")


def _printed_into_a_file(trial: JsonObject, pod: JsonObject, primary: str) -> bool:
    kind = shown_at(trial, "spec", "metricsCollector", "collector", "kind") or "StdOut"
    trainer = next(
        (one for one in items_at(pod, "spec", "containers") if shown_at(one, "name") == primary),
        None,
    )
    first = next(iter(items_at(trainer, "command")), "")
    return kind == "StdOut" and not str(first).startswith(f"{RUN_DIR}/")


def _statuses(pod: JsonObject) -> Iterator[Json]:
    for part in ("containerStatuses", "initContainerStatuses"):
        yield from items_at(pod, "status", part)


def _unscheduled(pod: JsonObject) -> Json:
    conditions = items_at(pod, "status", "conditions")
    return next((one for one in conditions if shown_at(one, "status") == "False"), None)
