"""`status` of an Experiment."""

from __future__ import annotations

from api.types import ExperimentStatus, Json, Observation, OptimalTrial

from .fields import Field
from .metadata import parse_condition, render_condition
from .metrics import parse_observation, render_observation
from .parameters import parse_assignment, render_assignment
from .rendering import maybe, present


def parse_experiment_status(f: Field) -> ExperimentStatus:
    """Read a status; unknown fields are ignored."""
    f.open_ended()
    return ExperimentStatus(
        start_time=f.at("startTime").optional_text(),
        completion_time=f.at("completionTime").optional_text(),
        last_reconcile_time=f.at("lastReconcileTime").optional_text(),
        conditions=f.at("conditions").records(parse_condition),
        optimal_trial=f.at("currentOptimalTrial").record(_parse_optimal),
        running=f.at("runningTrialList").texts(),
        pending=f.at("pendingTrialList").texts(),
        failed=f.at("failedTrialList").texts(),
        succeeded=f.at("succeededTrialList").texts(),
        killed=f.at("killedTrialList").texts(),
        early_stopped=f.at("earlyStoppedTrialList").texts(),
        metrics_unavailable=f.at("metricsUnavailableTrialList").texts(),
        trials=f.at("trials").count(),
        trials_succeeded=f.at("trialsSucceeded").count(),
        trials_failed=f.at("trialsFailed").count(),
        trials_killed=f.at("trialsKilled").count(),
        trials_pending=f.at("trialsPending").count(),
        trials_running=f.at("trialsRunning").count(),
        trials_early_stopped=f.at("trialsEarlyStopped").count(),
        trials_metrics_unavailable=f.at("trialMetricsUnavailable").count(),
    )


def _parse_optimal(f: Field) -> OptimalTrial:
    f.open_ended()
    return OptimalTrial(
        name=f.at("bestTrialName").text(),
        assignments=f.at("parameterAssignments").records(parse_assignment),
        observation=f.at("observation").record(parse_observation) or Observation(),
    )


def render_experiment_status(status: ExperimentStatus) -> dict[str, Json]:
    """Write only `status`, for the status subresource; a count of 0 is left out."""
    best = status.optimal_trial
    return present(
        {
            "startTime": status.start_time,
            "completionTime": status.completion_time,
            "lastReconcileTime": status.last_reconcile_time,
            "conditions": tuple(render_condition(c) for c in status.conditions),
            "currentOptimalTrial": maybe(best, _render_optimal),
            "runningTrialList": status.running,
            "pendingTrialList": status.pending,
            "failedTrialList": status.failed,
            "succeededTrialList": status.succeeded,
            "killedTrialList": status.killed,
            "earlyStoppedTrialList": status.early_stopped,
            "metricsUnavailableTrialList": status.metrics_unavailable,
            "trials": status.trials or None,
            "trialsSucceeded": status.trials_succeeded or None,
            "trialsFailed": status.trials_failed or None,
            "trialsKilled": status.trials_killed or None,
            "trialsPending": status.trials_pending or None,
            "trialsRunning": status.trials_running or None,
            "trialsEarlyStopped": status.trials_early_stopped or None,
            # Katib's name is singular here; scripts of users depend on it.
            "trialMetricsUnavailable": status.trials_metrics_unavailable or None,
        }
    )


def _render_optimal(best: OptimalTrial) -> Json:
    observation = best.observation
    return present(
        {
            "bestTrialName": best.name,
            "parameterAssignments": tuple(render_assignment(a) for a in best.assignments),
            "observation": render_observation(observation),
        }
    )
