"""A pod's quality of service: whether it is Guaranteed."""

from __future__ import annotations

from api.errors import UserError
from api.installation.containers import CPU, MEMORY, quantity
from api.names import COLLECTOR_CONTAINER
from webhook.model.pods import Container, Pod


def guaranteed(pod: Pod) -> bool:
    """Tell whether all containers but ours have limits of cpu and memory, and requests equal them.

    A request that is left out equals its limit, as the API server has it.
    """
    containers = [*pod.containers, *pod.init_containers]
    return all(_is_guaranteed(one) for one in containers if one.name != COLLECTOR_CONTAINER)


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
        return False  # The API server refuses such a pod.
