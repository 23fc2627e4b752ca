"""The resources of the sidecar."""

from __future__ import annotations

from api.installation.containers import CPU, MEMORY, Resources, render_resources, with_defaults
from api.types import JsonObject

# Measured: a working collector takes 45 MiB. No storage: with Katib's storage request, cluster
# autoscalers did not start nodes for the pods.
_DEFAULTS = Resources(requests={CPU: "20m", MEMORY: "64Mi"}, limits={CPU: "500m", MEMORY: "256Mi"})


def resources_for(wanted: Resources, *, guaranteed: bool) -> JsonObject:
    """Return the sidecar's `resources`.

    Missing or zero values of cpu and memory get defaults (`with_defaults`). In a Guaranteed pod
    requests equal limits, so that the pod stays Guaranteed.

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
