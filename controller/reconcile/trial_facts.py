"""What an experiment needs to know about a trial, computed once for each version of the trial.

An experiment counts all of its trials in each reconcile, but few of them have changed since the
last one. For the others a reconcile costs one look-up each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from api.metric_values import objective_value
from api.types import Experiment, OwnerReference, Suggestion, Trial
from controller.reconcile.trial_order import order_key
from controller.reconcile.trial_states import ACTIVE_STATES, TrialState, is_measured, state_of


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialFacts:
    """What an experiment needs to know about a trial."""

    trial: Trial
    order: tuple[float, str, str]
    """Its position in the order in which the trials were requested."""
    state: TrialState
    measured: bool
    """Whether its observation is final and counts."""
    value: float | None
    """The objective's value; None if it was not measured or is not finite."""
    owners: tuple[str, ...]
    """The uids of the experiments in its owner references."""

    @property
    def active(self) -> bool:
        """Whether it is pending or running."""
        return self.state in ACTIVE_STATES


FactsOfTrials = Callable[[Iterable[Trial]], Sequence[TrialFacts]]
"""Computes the facts of trials; returns them in the order in which the trials were requested."""


def facts_of_trial(trial: Trial) -> TrialFacts:
    """Compute what an experiment needs to know about a trial."""
    measured = is_measured(trial)
    return TrialFacts(
        trial=trial,
        order=order_key(trial),
        state=state_of(trial),
        measured=measured,
        value=_value(trial) if measured else None,
        owners=owner_uids(trial),
    )


def _value(trial: Trial) -> float | None:
    objective = trial.spec.objective
    return None if objective is None else objective_value(trial.status.observation, objective)


def facts_of_trials(trials: Iterable[Trial]) -> Sequence[TrialFacts]:
    """Compute the facts of all trials, in the order in which the trials were requested."""
    return _in_order(map(facts_of_trial, trials))


def owner_uids(item: Suggestion | Trial) -> tuple[str, ...]:
    """Return the uids of the experiments in an object's owner references."""
    return tuple(owner.uid for owner in item.metadata.owner_references if _is_experiment(owner))


def belongs_to(owners: Sequence[str], experiment: Experiment) -> bool:
    """Return whether an object with these owners belongs to this experiment.

    An object without owners belongs to the experiment of its name.
    """
    uid = experiment.metadata.uid
    return not owners or not uid or uid in owners


class TrialFactsCache:
    """The facts of one experiment's trials, as of the last reconcile."""

    def __init__(self) -> None:
        self._last: dict[str, TrialFacts] = {}

    def __call__(self, trials: Iterable[Trial]) -> Sequence[TrialFacts]:
        """Compute the facts of changed trials only; the result equals that of `facts_of_trials`."""
        previous: dict[str, TrialFacts] = self._last
        current: dict[str, TrialFacts] = {}
        for trial in trials:
            name = trial.metadata.name
            facts = previous.get(name)
            if facts is None or facts.trial is not trial:
                facts = facts_of_trial(trial)
            current[name] = facts
        self._last = current
        return _in_order(current.values())


def _in_order(facts: Iterable[TrialFacts]) -> Sequence[TrialFacts]:
    return sorted(facts, key=attrgetter("order"))


def _is_experiment(owner: OwnerReference) -> bool:
    return owner.kind == "Experiment" and owner.controller
