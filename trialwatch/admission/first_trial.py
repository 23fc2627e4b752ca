"""A possible first trial of an Experiment: its first enqueued point, or the start of the space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from api.documents import mapping_at
from api.objects.defaults import with_defaults
from api.objects.enqueued import enqueued_points
from api.objects.experiments import parse_experiment
from api.types import Assignment, ExperimentSpec, JsonObject, ParameterSpec, SuggestedTrial, Trial
from controller.reconcile.creation import trial_of
from controller.reconcile.jobs import job_document
from suggestion.core.search_space import Point
from suggestion.core.search_task import search_task_of


def first_trial(document: JsonObject) -> tuple[Trial, JsonObject]:
    """Return the trial, and its job as a controller creates it.

    The job has no owner, because the trial does not exist in a cluster.

    Raises:
        SpecError: the Experiment is wrong, or its template cannot be filled in.
    """
    experiment = with_defaults(parse_experiment(document, unknown_fields=False))
    metadata = experiment.metadata
    placed = replace(metadata, namespace=metadata.namespace or "default")
    points = enqueued_points(experiment)
    chosen = {one.name: one.value for one in points[0]} if points else {}
    suggested = SuggestedTrial(
        name=f"{metadata.name}-first",
        assignments=_first_point(experiment.spec, chosen),
    )
    trial = trial_of(replace(experiment, metadata=placed), suggested, None)
    job = job_document(trial)
    metadata_of_job = mapping_at(job, "metadata")
    unowned = {key: value for key, value in metadata_of_job.items() if key != "ownerReferences"}
    return trial, {**job, "metadata": unowned}


def _first_point(spec: ExperimentSpec, chosen: Mapping[str, str]) -> Point:
    """Return the point of a trial; `chosen` has values for some of its parameters."""
    if spec.nas_config is not None:
        return next(iter(search_task_of(spec).suggest((), 0, 1, 0)), ())
    return tuple(
        Assignment(name=one.name, value=chosen.get(one.name) or _start(one))
        for one in spec.parameters
    )


def _start(parameter: ParameterSpec) -> str:
    space = parameter.space
    return space.min or next(iter(space.list), "")
