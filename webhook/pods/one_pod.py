"""Whether a trial's job runs one pod at a time, until one has succeeded.

Then two pods that succeed have done the same work: Kubernetes promises to start the pod at least
once, not exactly once. For example, its Job controller creates a second pod if the API server is
killed before it can answer the first request.
"""

from __future__ import annotations

from api.documents import mapping_at, value_at
from api.types import JsonObject

_JOB = ("batch/v1", "Job")
_COUNTS = ("completions", "parallelism")


def runs_one_pod(job: JsonObject) -> bool:
    """Return whether a job runs one pod; `only_counts` keeps what this reads.

    | `completions` | `parallelism` | one pod |
    |---|---|---|
    | 1 | any | yes |
    | not set | 1, or not set | yes: the first success is the last |
    | other | any | no |
    """
    if (value_at(job, "apiVersion"), value_at(job, "kind")) != _JOB:
        return False
    completions, parallelism = (value_at(job, "spec", count) for count in _COUNTS)
    return completions == 1 or (completions is None and (parallelism is None or parallelism == 1))


def only_counts(job: JsonObject) -> JsonObject:
    """Return the part of a job that `runs_one_pod` reads."""
    spec = mapping_at(job, "spec")
    counts = {count: spec[count] for count in _COUNTS if count in spec}
    return {**{key: job[key] for key in ("apiVersion", "kind") if key in job}, "spec": counts}
