"""What the pods of a trial say when its job has ended: was there a collector, what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from api.names import COLLECTOR_CONTAINER
from api.types import Json, JsonObject, Trial
from controller.views import PodFacts


def facts_of(pods: Iterable[JsonObject], trial: Trial) -> PodFacts:
    """Read the newest of the pods whose metrics count; of no pods nothing is known."""
    primary = [pod for pod in pods if _is_primary(pod, trial)]
    if not primary:
        return PodFacts()
    newest = max(primary, key=lambda pod: str(_at(pod, "metadata", "creationTimestamp") or ""))
    if not any(True for place in _CONTAINERS for _ in _named(listed(newest, "spec", place))):
        return PodFacts(injected=False)
    statuses = [status for place in _STATUSES for status in _named(listed(newest, "status", place))]
    end = next((end for status in statuses if (end := _end_of(status))), None)
    if end is None:
        return PodFacts(injected=True)
    code, reason = end.get("exitCode"), str(end.get("reason") or "")
    words = end.get("message")
    failed = f"{reason}, exit code {code}".removeprefix(", ") if code else ""
    return PodFacts(
        injected=True, collector_failed=failed, last_words=words if isinstance(words, str) else ""
    )


_CONTAINERS = ("initContainers", "containers")
_STATUSES = ("initContainerStatuses", "containerStatuses")


def _is_primary(pod: JsonObject, trial: Trial) -> bool:
    labels = _at(pod, "metadata", "labels")
    wanted = trial.spec.primary_pod_labels
    return not wanted or (isinstance(labels, Mapping) and wanted.items() <= labels.items())


def _end_of(status: Mapping[str, Json]) -> Mapping[str, Json] | None:
    """Return how the container ended: now, or before it was started again."""
    for place in ("state", "lastState"):
        end = _at(status, place, "terminated")
        if isinstance(end, Mapping):
            return end
    return None


def _named(items: Sequence[Mapping[str, Json]]) -> Iterator[Mapping[str, Json]]:
    return (item for item in items if item.get("name") == COLLECTOR_CONTAINER)


def listed(document: JsonObject, *path: str) -> list[Mapping[str, Json]]:
    """Return the mappings of a list that is somewhere in a document."""
    found = _at(document, *path)
    items = found if isinstance(found, list | tuple) else ()
    return [item for item in items if isinstance(item, Mapping)]


def _at(document: JsonObject, *path: str) -> Json:
    found: Json = document
    for step in path:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found
