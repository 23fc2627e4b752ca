"""A trial as its experiment sees it, worked out once for each version of the trial.

An experiment counts all of its trials in each of its turns, and only few of them have changed
since the last. What a turn costs for each of the others is a look-up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from api.metric_values import objective_value
from api.types import Experiment, OwnerReference, Suggestion, Trial
from controller.reconcile.creation import order_key
from controller.reconcile.trial_states import ACTIVE_STATES, TrialState, is_measured, state_of


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialFacts:
    """What an experiment has to know of a trial."""

    trial: Trial
    place: tuple[float, str, str]
    """Where it stands among the others."""
    state: TrialState
    measured: bool
    """Whether its observation is its last, and counts."""
    value: float | None
    """The objective; None where it is not measured, or is no finite number."""
    owners: tuple[str, ...]
    """The uids of the experiments that it names as its owners."""

    @property
    def active(self) -> bool:
        """Whether it may still become something."""
        return self.state in ACTIVE_STATES


FactsOfTrials = Callable[[Iterable[Trial]], Sequence[TrialFacts]]
"""Makes members of trials, in the order in which these were asked for."""


def facts_of_trial(trial: Trial) -> TrialFacts:
    """Work out what an experiment has to know of a trial."""
    counts = is_measured(trial)
    return TrialFacts(
        trial=trial,
        place=order_key(trial),
        state=state_of(trial),
        measured=counts,
        value=_value(trial) if counts else None,
        owners=owner_uids(trial),
    )


def _value(trial: Trial) -> float | None:
    objective = trial.spec.objective
    return None if objective is None else objective_value(trial.status.observation, objective)


def facts_of_trials(trials: Iterable[Trial]) -> Sequence[TrialFacts]:
    """Work it out for all of them; they come in the order in which they were asked for."""
    return _in_order(map(facts_of_trial, trials))


def owner_uids(item: Suggestion | Trial) -> tuple[str, ...]:
    """Return the uids of the experiments that an object names as its owners."""
    return tuple(owner.uid for owner in item.metadata.owner_references if _is_experiment(owner))


def belongs_to(owners: Sequence[str], experiment: Experiment) -> bool:
    """Say whether what has these owners belongs to this very experiment; without any, it does."""
    uid = experiment.metadata.uid
    return not owners or not uid or uid in owners


class TrialFactsCache:
    """The members of one experiment, as they were the last time."""

    def __init__(self) -> None:
        self._last: dict[str, TrialFacts] = {}

    def __call__(self, trials: Iterable[Trial]) -> Sequence[TrialFacts]:
        """Work out what is new; equal to `members_of`."""
        before, now = self._last, {}
        for trial in trials:
            name = trial.metadata.name
            member = before.get(name)
            if member is None or member.trial is not trial:
                member = facts_of_trial(trial)
            now[name] = member
        self._last = now
        return _in_order(now.values())


def _in_order(members: Iterable[TrialFacts]) -> Sequence[TrialFacts]:
    return sorted(members, key=attrgetter("place"))


def _is_experiment(owner: OwnerReference) -> bool:
    return owner.kind == "Experiment" and owner.controller
