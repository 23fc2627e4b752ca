"""Read and write the object `Experiment`."""

from __future__ import annotations

from api.types import Experiment, ExperimentSpec, Json, ObjectMeta, ResumePolicy

from .algorithms import parse_algorithm, parse_early_stopping, render_algorithm
from .collectors import parse_collector, render_collector
from .experiment_status import parse_experiment_status, render_experiment_status
from .fields import Field
from .metadata import check_head, parse_metadata, render_head, render_metadata
from .metrics import parse_objective, render_objective
from .parameters import (
    parse_nas_config,
    parse_parameter,
    render_nas_config,
    render_parameter,
)
from .rendering import maybe, present
from .templates import parse_template, render_template

KIND = "Experiment"


def parse_experiment(document: object, *, unknown_fields: bool = True) -> Experiment:
    """Read an Experiment from JSON.

    `unknown_fields` says whether an unknown field is a fault. Use true for a user's file, and false
    for an object from a cluster, which a newer program may have written.

    Raises:
        SpecError: the object has faults; all are reported at once.
    """
    f = Field(document)
    return f.accept(f.record(read_experiment), unknown=unknown_fields)


def read_experiment(f: Field) -> Experiment:
    """Read an Experiment from a field; faults stay in the field."""
    check_head(f, KIND)
    spec = f.at("spec")
    if spec.absent:
        spec.require("must be specified")
    return Experiment(
        metadata=f.at("metadata").record(parse_metadata) or ObjectMeta(),
        spec=spec.record(_parse_spec) or ExperimentSpec(),
        status=parse_experiment_status(f.at("status")),
    )


def _parse_spec(f: Field) -> ExperimentSpec:
    return ExperimentSpec(
        parameters=f.at("parameters").records(parse_parameter),
        objective=f.at("objective").record(parse_objective),
        algorithm=f.at("algorithm").record(parse_algorithm),
        early_stopping=f.at("earlyStopping").record(parse_early_stopping),
        trial_template=f.at("trialTemplate").record(parse_template),
        parallel_trial_count=f.at("parallelTrialCount").integer(),
        max_trial_count=f.at("maxTrialCount").integer(),
        max_failed_trial_count=f.at("maxFailedTrialCount").integer(),
        collector=f.at("metricsCollectorSpec").record(parse_collector),
        nas_config=f.at("nasConfig").record(parse_nas_config),
        resume_policy=f.at("resumePolicy").choice(ResumePolicy, None),
    )


def render_experiment(experiment: Experiment) -> dict[str, Json]:
    """Write an Experiment as Kubernetes JSON; `parse_experiment` reads back an equal value."""
    return render_head(KIND) | present(
        {
            "metadata": render_metadata(experiment.metadata),
            "spec": render_experiment_spec(experiment.spec),
            "status": render_experiment_status(experiment.status) or None,
        }
    )


def render_experiment_spec(spec: ExperimentSpec) -> Json:
    """Write only `spec`, for a patch."""
    return present(
        {
            "objective": maybe(spec.objective, render_objective),
            "algorithm": maybe(spec.algorithm, render_algorithm),
            "earlyStopping": maybe(spec.early_stopping, render_algorithm),
            "parallelTrialCount": spec.parallel_trial_count,
            "maxTrialCount": spec.max_trial_count,
            "maxFailedTrialCount": spec.max_failed_trial_count,
            "resumePolicy": spec.resume_policy,
            "metricsCollectorSpec": maybe(spec.collector, render_collector),
            "parameters": tuple(render_parameter(p) for p in spec.parameters),
            "nasConfig": maybe(spec.nas_config, render_nas_config),
            "trialTemplate": maybe(spec.trial_template, render_template),
        }
    )
