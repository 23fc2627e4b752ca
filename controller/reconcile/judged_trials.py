"""The trials of an experiment as its stopping rule sees them, and what the rule says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from api.types import ConditionType, Experiment, Trial, holds
from controller.reconcile import trial_states
from controller.reconcile.trial_states import state_of
from stopping.curves import Curve, Point
from stopping.registry import Stopping
from stopping.rule import TrialHistory, TrialState, Verdict

MOST_ENDED = 2_000
"""Trials that have ended and are compared with: the newest."""
_NOW = "9999"
"""The completion time of a trial that was stopped and whose pods still end: after all others."""
Curves = Mapping[str, Curve]
"""The curves of one trial by metric."""


class JudgedTrials:
    """The curves of trials, and their states."""

    def __init__(self, stopping: Stopping) -> None:
        """Begin without trials."""
        self._stopping = stopping
        self._states: dict[str, TrialState] = {}
        self._known: dict[str, tuple[str, TrialState | None]] = {}
        """By trial: the version of its object, and its state; None: the rule does not see it."""
        self._curves: dict[str, Curves] = {}

    @property
    def metrics(self) -> tuple[str, ...]:
        """Which metrics the rule needs."""
        return self._stopping.metrics

    def take(self, trials: Sequence[Trial]) -> tuple[list[Trial], list[Trial]]:
        """Take over the states of all trials; return those that run, and those that count as ended.

        The curves of all others are forgotten.
        """
        self._known = {one.metadata.name: self._state_of(one) for one in trials}
        states = {name: state for name, (_, state) in self._known.items() if state is not None}
        of_rule = [one for one in trials if one.metadata.name in states]
        running = [one for one in of_rule if states[one.metadata.name] is TrialState.RUNNING]
        ended = [one for one in of_rule if states[one.metadata.name] is not TrialState.RUNNING]
        if len(ended) > MOST_ENDED:
            ended.sort(key=lambda one: (one.status.completion_time or _NOW, one.metadata.name))
            ended = ended[-MOST_ENDED:]
        self._states = {one.metadata.name: states[one.metadata.name] for one in (*running, *ended)}
        self._curves = {name: kept for name, kept in self._curves.items() if name in self._states}
        return running, ended

    def _state_of(self, trial: Trial) -> tuple[str, TrialState | None]:
        """Return a trial's version and state; the state is computed once for each version."""
        version = f"{trial.metadata.uid} {trial.metadata.resource_version}"
        known = self._known.get(trial.metadata.name)
        return known if known and known[0] == version else (version, _state_for_rule(trial))

    def begin(self, name: str) -> None:
        """Forget the curves of a trial: they are read anew."""
        self._curves.pop(name, None)

    def add(self, name: str, points: Iterable[tuple[str, Point]]) -> None:
        """Extend the curves of a trial by points, each with its metric."""
        self._curves[name] = extended(self._curves.get(name, {}), points)

    def replace(self, name: str, curves: Curves) -> None:
        """Set the curves of a trial."""
        self._curves[name] = curves

    def verdicts(self, exact: Mapping[str, Curves] | None = None) -> tuple[Verdict, ...]:
        """Return which running trials must stop; `exact` takes the place of their curves.

        None must stop before the values of all trials that have ended were read: compared with the
        first few of them only, a good trial might be among the worst.
        """
        curves = self._curves | dict(exact or {})
        ended = (name for name, one in self._states.items() if one is not TrialState.RUNNING)
        if any(name not in curves for name in ended):
            return ()
        histories = [
            TrialHistory(name=name, state=state, curves=curves.get(name, {}))
            for name, state in self._states.items()
        ]
        return self._stopping.rule.judge(self._stopping.goal, histories)


def extended(curves: Curves, points: Iterable[tuple[str, Point]]) -> Curves:
    """Return curves by metric, extended by points."""
    by_metric: dict[str, list[Point]] = {}
    for metric, point in points:
        by_metric.setdefault(metric, []).append(point)
    longer = {
        metric: curves.get(metric, Curve()).extended(new) for metric, new in by_metric.items()
    }
    return {**curves, **longer}


def is_over(experiment: Experiment) -> bool:
    """Return whether an experiment has ended or is being deleted: nothing is judged any more."""
    conditions = experiment.status.conditions
    ended = (ConditionType.SUCCEEDED, ConditionType.FAILED)
    return bool(experiment.metadata.deletion_timestamp) or any(
        holds(conditions, kind) for kind in ended
    )


def _state_for_rule(trial: Trial) -> TrialState | None:
    match state_of(trial):
        case trial_states.TrialState.RUNNING:
            return None if trial.metadata.deletion_timestamp else TrialState.RUNNING
        case trial_states.TrialState.SUCCEEDED:
            return TrialState.SUCCEEDED
        case trial_states.TrialState.EARLY_STOPPED:
            # Also while its pods still end: without its worse trials, a rung keeps fewer.
            return TrialState.STOPPED
        case _:
            return None
