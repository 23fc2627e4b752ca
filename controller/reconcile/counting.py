"""Counters of an experiment, and its best trial, computed from its trials."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from api.types import (
    ExperimentStatus,
    Objective,
    ObjectiveType,
    Observation,
    OptimalTrial,
    Trial,
)
from controller.reconcile.trial_facts import TrialFacts
from controller.reconcile.trial_states import TrialState


@dataclass(frozen=True, slots=True, kw_only=True)
class BestTrial:
    """The best trial, and the value of its objective."""

    trial: Trial
    value: float


def with_counts(
    status: ExperimentStatus, facts_of_all: Sequence[TrialFacts], best: BestTrial | None
) -> ExperimentStatus:
    """Recompute the lists and counters from the trials, in their order.

    The optimal trial stays if no trial has a value any more: that trial may have been deleted.
    """
    names: dict[TrialState, list[str]] = {state: [] for state in TrialState}
    for facts in facts_of_all:
        names[facts.state].append(facts.trial.metadata.name)
    return replace(
        status,
        optimal_trial=status.optimal_trial if best is None else _optimal(best.trial),
        running=tuple(names[TrialState.RUNNING]),
        pending=tuple(names[TrialState.PENDING]),
        failed=tuple(names[TrialState.FAILED]),
        succeeded=tuple(names[TrialState.SUCCEEDED]),
        killed=tuple(names[TrialState.KILLED]),
        early_stopped=tuple(names[TrialState.EARLY_STOPPED]),
        metrics_unavailable=tuple(names[TrialState.METRICS_UNAVAILABLE]),
        trials=len(facts_of_all),
        trials_running=len(names[TrialState.RUNNING]),
        trials_pending=len(names[TrialState.PENDING]),
        trials_failed=len(names[TrialState.FAILED]),
        trials_succeeded=len(names[TrialState.SUCCEEDED]),
        trials_killed=len(names[TrialState.KILLED]),
        trials_early_stopped=len(names[TrialState.EARLY_STOPPED]),
        trials_metrics_unavailable=len(names[TrialState.METRICS_UNAVAILABLE]),
    )


def as_history(facts: TrialFacts) -> Trial:
    """Return a trial as the search sees it: with its observation only if that counts."""
    trial = facts.trial
    if facts.measured or trial.status.observation is None:
        return trial
    return replace(trial, status=replace(trial.status, observation=None))


def best_of(facts_of_all: Iterable[TrialFacts], objective: Objective) -> BestTrial | None:
    """Return the best trial that succeeded or was stopped early; of equal ones the first.

    Only finite numbers count, so a training that diverged is never the best.
    """
    minimize = objective.type is not ObjectiveType.MAXIMIZE
    best, value = None, 0.0
    for facts in facts_of_all:
        candidate = facts.value
        if candidate is None:
            continue
        if best is None or (candidate < value if minimize else candidate > value):
            best, value = facts, candidate
    return None if best is None else BestTrial(trial=best.trial, value=value)


def is_goal_reached(best: BestTrial | None, objective: Objective) -> bool:
    """Return whether the best trial reaches the objective's goal."""
    if best is None or objective.goal is None:
        return False
    if objective.type is ObjectiveType.MAXIMIZE:
        return best.value >= objective.goal
    return best.value <= objective.goal


def _optimal(trial: Trial) -> OptimalTrial:
    return OptimalTrial(
        name=trial.metadata.name,
        assignments=trial.spec.assignments,
        observation=trial.status.observation or Observation(),
    )
