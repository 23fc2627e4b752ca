"""A pod's quality of service class: whether it is Guaranteed."""

from __future__ import annotations

from api.errors import UserError
from api.installation.containers import CPU, MEMORY, quantity
from api.names import COLLECTOR_CONTAINER
from webhook.model.pods import Container, Pod


def guaranteed(pod: Pod) -> bool:
    """Return whether all containers but the collector have equal limits and requests.

    This concerns cpu and memory. A missing request equals its limit, as for the API server.
    """
    containers = [*pod.containers, *pod.init_containers]
    return all(_is_guaranteed(c) for c in containers if c.name != COLLECTOR_CONTAINER)


def _is_guaranteed(container: Container) -> bool:
    limits, requests = container.limits, container.requests
    if not {CPU, MEMORY} <= limits.keys():
        return False
    try:
        return all(
            quantity(requests.get(name, limits[name])) == quantity(limits[name]) != 0
            for name in (CPU, MEMORY)
        )
    except UserError:
        return False  # Not a quantity: the API server refuses such a pod.
