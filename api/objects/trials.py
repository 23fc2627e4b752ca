"""Read and write the object `Trial`."""

from __future__ import annotations

from api.types import Json, ObjectMeta, Trial, TrialSpec, TrialStatus

from .algorithms import parse_stop_rule, render_stop_rule
from .collectors import parse_collector, render_collector
from .fields import Field
from .metadata import (
    check_head,
    parse_condition,
    parse_metadata,
    render_condition,
    render_head,
    render_metadata,
)
from .metrics import (
    parse_objective,
    parse_observation,
    render_objective,
    render_observation,
)
from .parameters import parse_assignment, render_assignment
from .rendering import maybe, present

KIND = "Trial"


def parse_trial(document: object, *, unknown_fields: bool = True) -> Trial:
    """Read a Trial from JSON; for `unknown_fields` see `parse_experiment`.

    Raises:
        SpecError: the object has faults; all are reported at once.
    """
    f = Field(document)
    return f.accept(f.record(read_trial), unknown=unknown_fields)


def read_trial(f: Field) -> Trial:
    """Read a Trial from a field; faults stay in the field."""
    check_head(f, KIND)
    return Trial(
        metadata=f.at("metadata").record(parse_metadata) or ObjectMeta(),
        spec=f.at("spec").record(_parse_spec) or TrialSpec(),
        status=_parse_status(f.at("status")),
    )


def _parse_spec(f: Field) -> TrialSpec:
    return TrialSpec(
        objective=f.at("objective").record(parse_objective),
        assignments=f.at("parameterAssignments").records(parse_assignment),
        stop_rules=f.at("earlyStoppingRules").records(parse_stop_rule),
        run_spec=f.at("runSpec").mapping(),
        retain_run=f.at("retainRun").flag(),
        collector=f.at("metricsCollector").record(parse_collector),
        primary_pod_labels=f.at("primaryPodLabels").text_map(),
        primary_container_name=f.at("primaryContainerName").text(),
        success_condition=f.at("successCondition").text(),
        failure_condition=f.at("failureCondition").text(),
        labels=f.at("labels").text_map(),
    )


def _parse_status(f: Field) -> TrialStatus:
    f.open_ended()
    return TrialStatus(
        start_time=f.at("startTime").optional_text(),
        completion_time=f.at("completionTime").optional_text(),
        last_reconcile_time=f.at("lastReconcileTime").optional_text(),
        conditions=f.at("conditions").records(parse_condition),
        observation=f.at("observation").record(parse_observation),
    )


def render_trial(trial: Trial) -> dict[str, Json]:
    """Write a Trial as Kubernetes JSON; `parse_trial` reads back an equal value."""
    return render_head(KIND) | present(
        {
            "metadata": render_metadata(trial.metadata),
            "spec": _render_spec(trial.spec),
            "status": render_trial_status(trial.status) or None,
        }
    )


def _render_spec(spec: TrialSpec) -> Json:
    return present(
        {
            "objective": maybe(spec.objective, render_objective),
            "parameterAssignments": tuple(render_assignment(a) for a in spec.assignments),
            "earlyStoppingRules": tuple(render_stop_rule(rule) for rule in spec.stop_rules),
            "runSpec": spec.run_spec,
            "retainRun": spec.retain_run or None,
            "metricsCollector": maybe(spec.collector, render_collector),
            "primaryPodLabels": dict(spec.primary_pod_labels) or None,
            "primaryContainerName": spec.primary_container_name,
            "successCondition": spec.success_condition,
            "failureCondition": spec.failure_condition,
            "labels": dict(spec.labels) or None,
        }
    )


def render_trial_status(status: TrialStatus) -> dict[str, Json]:
    """Write only `status`, for the status subresource."""
    return present(
        {
            "startTime": status.start_time,
            "completionTime": status.completion_time,
            "lastReconcileTime": status.last_reconcile_time,
            "conditions": tuple(render_condition(c) for c in status.conditions),
            "observation": maybe(status.observation, render_observation),
        }
    )
