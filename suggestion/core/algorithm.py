"""The interface of an algorithm: its settings, the experiments that it refuses, and its search.

An entry point of the group `trialwatch.algorithms` names an `Algorithm`. The algorithms of this
package have the same form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from api.algorithm_settings import (
    LARGEST_WHOLE,
    MOST_SETTINGS,
    Rule,
    Values,
    one_of,
    read_values,
    text_setting,
    whole,
)
from api.errors import Fault
from api.types import ExperimentSpec, Setting, SuggestedTrial
from suggestion.core.search_space import Point, SearchSpace
from suggestion.core.trial_history import History

__all__ = [
    "LARGEST_WHOLE",
    "RANDOM_STATE",
    "SETTINGS",
    "Algorithm",
    "ExplainingSearch",
    "Proposal",
    "ProposingSearch",
    "Rule",
    "Search",
    "Values",
    "one_of",
    "text_setting",
    "whole",
]
"""With the settings' own names: an algorithm needs one import."""

SETTINGS = "spec.algorithm.algorithmSettings"
RANDOM_STATE = "random_state"
_LARGEST_SEED = 2**63 - 1


class Search(Protocol):
    """An algorithm with its settings."""

    def suggest(
        self, space: SearchSpace, history: History, count: int, seed: int
    ) -> tuple[Point, ...]:
        """Choose the next `count` points; fewer only if the space has no more points.

        This is a pure function. To ask for n points at once has the same result as to ask n times
        for one point, with the earlier points in the history as running trials.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a search answers."""

    trials: tuple[SuggestedTrial, ...]
    """The points, perhaps with names and labels."""
    settings: tuple[Setting, ...] = ()
    """Settings to send with later requests."""


@runtime_checkable
class ProposingSearch(Search, Protocol):
    """A search that answers more than points."""

    def propose(self, space: SearchSpace, history: History, count: int, seed: int) -> Proposal:
        """Choose the same points as `suggest`; a pure function too."""


@runtime_checkable
class ExplainingSearch(Search, Protocol):
    """A search that can say how it searches."""

    def explain(self, space: SearchSpace) -> str:
        """Return how this space is searched, and why, in one line."""


def _no_faults(_space: SearchSpace, _spec: ExperimentSpec, _values: Values) -> Iterator[Fault]:
    return iter(())


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """One search algorithm."""

    make: Callable[..., Search]
    """Makes the search; takes the given settings, except random_state, as keywords."""
    budgeted: bool = False
    """Whether `make` also takes `budget` (maxTrialCount) and `parallel` (parallelTrialCount), each
    a number or None."""
    rules: tuple[Rule, ...] = ()
    required: tuple[str, ...] = ()
    """The settings without a default; `validate` says which of them are missing."""
    seed_rule: str = "random_state should be great or equal than zero"
    validate: Callable[[SearchSpace, ExperimentSpec, Values], Iterator[Fault]] = _no_faults
    """Yields the faults of an experiment whose settings are all readable."""
    admit: Callable[[SearchSpace, ExperimentSpec, Values], Iterator[Fault]] = _no_faults
    """Yields faults that only a new experiment is refused for: the search could run with them."""
    seeded: bool = True
    """Whether the search is random and so needs a seed."""
    has_checkpoints: bool = False
    """Whether each trial has a directory, which begins as a copy of its parent's."""
    unknown: str = ""
    """The message for a setting without a rule, whose name {} stands for; "": the usual one."""
    others: Callable[[str], Rule] | None = None
    """Returns the rule of a setting that is not in `rules`; None: such a setting is refused."""
    parameters: bool = True
    """Whether it searches `spec.parameters`."""
    networks: bool = False
    """Whether it searches `spec.nasConfig`."""

    @property
    def seed(self) -> Rule:
        """The rule of `random_state`."""
        return whole(RANDOM_STATE, least=0, most=_LARGEST_SEED, why=self.seed_rule)

    def read(self, name: str, settings: Sequence[Setting]) -> Values:
        """Read the settings; messages contain `name`, the name of the algorithm.

        Raises:
            SpecError: the faults of all settings.
        """
        rules = (*self.rules, self.seed)
        if self.others is not None:
            known = {rule.name for rule in rules}
            names = dict.fromkeys(setting.name for setting in settings[: MOST_SETTINGS + 1])
            rules = (*rules, *(self.others(one) for one in names if one not in known))
        return read_values(name, rules, settings, SETTINGS, unknown=self.unknown)
