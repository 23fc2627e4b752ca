"""What a sidecar asks of its node."""

from __future__ import annotations

from api.installation.containers import CPU, MEMORY, Resources, render_resources, with_defaults
from api.types import JsonObject

# Measured: a collector at work takes 45 MiB. None for storage: Katib's request for it kept pods
# from nodes that were still to be started.
_DEFAULTS = Resources(requests={CPU: "20m", MEMORY: "64Mi"}, limits={CPU: "500m", MEMORY: "256Mi"})


def resources_for(wanted: Resources, *, guaranteed: bool) -> JsonObject:
    """Return the sidecar's `resources`.

    Of cpu and memory, what is missing or zero gets its default (`with_defaults`). In a Guaranteed
    pod requests equal limits, lest our container change its class.

    Raises:
        UserError: a request is above its limit.
    """
    filled = with_defaults(wanted, _DEFAULTS)
    if not guaranteed:
        return render_resources(filled)
    limits = dict(filled.limits)
    for name, default in _DEFAULTS.limits.items():
        limits.setdefault(name, filled.requests.get(name, default))
    return render_resources(Resources(requests={**filled.requests, **limits}, limits=limits))
