"""Sets an annotation of the pods of an Experiment's trials, as if its author had written it."""

from __future__ import annotations

from dataclasses import replace

from api.documents import mapping_at
from api.errors import UserError
from api.types import Experiment, JsonObject
from runner.jobs.job_spec import POD


def with_pod_annotation(experiment: Experiment, annotation: str, value: str) -> Experiment:
    """Return the Experiment with this annotation in the template of its pods.

    Raises:
        UserError: the template is not in the Experiment itself.
    """
    template = experiment.spec.trial_template
    if template is None or template.trial_spec is None:
        raise UserError(
            f"the template is not in the Experiment: write the annotation {annotation}:"
            f' "{value}" into the pod of the template itself'
        )
    job = template.trial_spec
    if (job.get("apiVersion"), job.get("kind")) == POD:
        job = _annotated(job, annotation, value)
    else:
        spec = mapping_at(job, "spec")
        pod = _annotated(mapping_at(spec, "template"), annotation, value)
        job = {**job, "spec": {**spec, "template": pod}}
    changed = replace(template, trial_spec=job)
    return replace(experiment, spec=replace(experiment.spec, trial_template=changed))


def _annotated(pod: JsonObject, annotation: str, value: str) -> JsonObject:
    metadata = mapping_at(pod, "metadata")
    annotations = {**mapping_at(metadata, "annotations"), annotation: value}
    return {**pod, "metadata": {**metadata, "annotations": annotations}}
