"""The resources of the sidecar."""

from __future__ import annotations

from api.installation.containers import CPU, MEMORY, Resources, render_resources, with_defaults
from api.types import JsonObject

_CLASS = (CPU, MEMORY)
"""The resources that decide a pod's class."""

# Measured: a working collector takes 45 MiB. No storage: with Katib's storage request, cluster
# autoscalers did not start nodes for the pods.
_DEFAULTS = Resources(requests={CPU: "20m", MEMORY: "64Mi"}, limits={CPU: "500m", MEMORY: "256Mi"})
# A Guaranteed pod reserves its limits. Measured under these: the collector follows as soon as
# without a limit (under 50m it takes twice as long), a trainer's 10 points a second take 30m, and
# its peak with a log of 512 MiB is 46 MiB; with TLS and a token, and 1 GiB, 53 MiB.
_FIXED = {CPU: "100m", MEMORY: "64Mi"}


def resources_for(wanted: Resources, *, guaranteed: bool) -> JsonObject:
    """Return the sidecar's `resources`.

    Missing or zero values of cpu and memory get defaults (`with_defaults`). In a Guaranteed pod
    requests equal limits, so that the pod stays Guaranteed: the limit that is wanted, else the
    request that is wanted, else a small fixed one.

    Raises:
        UserError: a request is above its limit.
    """
    if not guaranteed:
        return render_resources(with_defaults(wanted, _DEFAULTS))
    chosen = with_defaults(wanted, Resources())
    requested = {name: chosen.requests[name] for name in _CLASS if name in chosen.requests}
    limits = {**_FIXED, **requested, **chosen.limits}
    return render_resources(Resources(requests={**chosen.requests, **limits}, limits=limits))
