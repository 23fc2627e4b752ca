"""From the trials to the experiment's counters, and to the best of them."""

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
    """The best trial, and its objective."""

    trial: Trial
    value: float


def with_counts(
    status: ExperimentStatus, members: Sequence[TrialFacts], best: BestTrial | None
) -> ExperimentStatus:
    """Rebuild lists and counters from the trials, in their order.

    The optimum stays where no trial has one any more: the trial may have been deleted.
    """
    names: dict[TrialState, list[str]] = {state: [] for state in TrialState}
    for member in members:
        names[member.state].append(member.trial.metadata.name)
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
        trials=len(members),
        trials_running=len(names[TrialState.RUNNING]),
        trials_pending=len(names[TrialState.PENDING]),
        trials_failed=len(names[TrialState.FAILED]),
        trials_succeeded=len(names[TrialState.SUCCEEDED]),
        trials_killed=len(names[TrialState.KILLED]),
        trials_early_stopped=len(names[TrialState.EARLY_STOPPED]),
        trials_metrics_unavailable=len(names[TrialState.METRICS_UNAVAILABLE]),
    )


def as_history(member: TrialFacts) -> Trial:
    """Return a trial as a search may know it: with its observation only where that is the last."""
    trial = member.trial
    if member.measured or trial.status.observation is None:
        return trial
    return replace(trial, status=replace(trial.status, observation=None))


def best_of(members: Iterable[TrialFacts], objective: Objective) -> BestTrial | None:
    """Choose the best trial that succeeded or was stopped early; of equal ones the first.

    Only a finite number counts, so a training that diverged is never the best.
    """
    least = objective.type is not ObjectiveType.MAXIMIZE
    best, value = None, 0.0
    for member in members:
        own = member.value
        if own is not None and (best is None or (own < value if least else own > value)):
            best, value = member, own
    return None if best is None else BestTrial(trial=best.trial, value=value)


def is_goal_reached(best: BestTrial | None, objective: Objective) -> bool:
    """Say whether the best trial is as good as was asked for."""
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
