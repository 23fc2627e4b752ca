"""How many devices a pod needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from api.objects.fields import Field
from api.types import JsonObject
from runner.pods.pod_resources import CPU, GPUS, cpus_of, gpus_of
from runner.pods.pod_spec import Container, Pod, RestartPolicy


def needs_of(pod: Pod) -> dict[str, int]:
    """Return how many devices of each kind a pod needs; kinds that it does not need are left out.

    Init containers run before the others, so they use the same devices. Containers and sidecars run
    at the same time, so each needs its own. Only the CPUs of containers count, because a collector
    needs little.
    """
    needs: Counter[str] = Counter()
    for container in (*pod.containers, *(one for one in pod.init_containers if one.stays)):
        needs.update(container.gpus)
    for container in pod.init_containers:
        needs |= Counter(container.gpus)
    needs[CPU] = sum(container.cpus for container in pod.containers)
    return {kind: count for kind, count in needs.items() if count}


def outline_of(document: JsonObject) -> Pod:
    """Return a pod of which only the needs are known; a placeholder counts as 0."""
    root = Field(document)
    containers = [_outline(one) for one in _containers(root, "containers")]
    inits = [_outline(one) for one in _containers(root, "initContainers")]
    return Pod(name="", namespace="", containers=tuple(containers), init_containers=tuple(inits))


def amounts_of(document: JsonObject, path: str) -> dict[str, Field]:
    """Return the first amount of each kind of GPU in a pod, placeholders included."""
    root, found = Field(document, path), dict[str, Field]()
    for container in (*_containers(root, "containers"), *_containers(root, "initContainers")):
        for kind in GPUS:
            for listed in ("limits", "requests"):
                amount = container.at("resources").at(listed).at(kind)
                if not amount.absent:
                    found.setdefault(kind, amount)
    return found


def _containers(root: Field, listed: str) -> Iterator[Field]:
    field = root.at("spec").at(listed)
    values = field.value if isinstance(field.value, list) else ()
    yield from (Field(value, f"{field.path}[{i}]") for i, value in enumerate(values))


def _outline(container: Field) -> Container:
    resources = container.at("resources")
    return Container(
        name=container.at("name").text(),
        gpus=gpus_of(resources),
        cpus=cpus_of(resources),
        stays=container.at("restartPolicy").text() == RestartPolicy.ALWAYS,
    )
