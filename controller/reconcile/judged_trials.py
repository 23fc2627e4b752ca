"""The trials of an experiment as its stopping rule sees them, and what the rule says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from api.types import ConditionType, Experiment, Trial, holds
from controller.reconcile import trial_states
from controller.reconcile.trial_states import is_measured, state_of
from stopping.curves import Curve, Point
from stopping.registry import Stopping
from stopping.rule import TrialHistory, TrialState, Verdict

MOST_ENDED = 2_000
"""Trials that have ended and are compared with: the newest."""
Curves = Mapping[str, Curve]
"""The curves of one trial by metric."""


class JudgedTrials:
    """The curves of trials, and their states."""

    def __init__(self, stopping: Stopping) -> None:
        """Begin without trials."""
        self._stopping = stopping
        self._states: dict[str, TrialState] = {}
        self._curves: dict[str, Curves] = {}

    @property
    def metrics(self) -> tuple[str, ...]:
        """Which metrics the rule needs."""
        return self._stopping.metrics

    def take(self, trials: Sequence[Trial]) -> tuple[list[Trial], list[Trial]]:
        """Take over the states of all trials; return those that run, and those that count as ended.

        The curves of all others are forgotten.
        """
        running = [one for one in trials if _is_judged(one)]
        ended = [one for one in trials if is_measured(one)]
        ended.sort(key=lambda one: (one.status.completion_time or "", one.metadata.name))
        ended = ended[-MOST_ENDED:]
        self._states = {one.metadata.name: TrialState.RUNNING for one in running}
        self._states |= {one.metadata.name: _ended_state(one) for one in ended}
        self._curves = {name: kept for name, kept in self._curves.items() if name in self._states}
        return running, ended

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
        """Return which running trials must stop; `exact` takes the place of their curves."""
        curves = self._curves | dict(exact or {})
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


def _is_judged(trial: Trial) -> bool:
    runs = state_of(trial) is trial_states.TrialState.RUNNING
    return runs and not trial.metadata.deletion_timestamp


def _ended_state(trial: Trial) -> TrialState:
    succeeded = state_of(trial) is trial_states.TrialState.SUCCEEDED
    return TrialState.SUCCEEDED if succeeded else TrialState.STOPPED
