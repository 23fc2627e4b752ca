"""The rules of early stopping, applied to the points in the order of the log.

A trial is stopped when every rule has been met at some time. A rule applies from its metric's N-th
observation, N being its start step (0 and 1 are the same). A rule about the objective compares the
best value so far, every other rule the value itself:

| comparison | met when   | the objective's best is           |
|------------|------------|-----------------------------------|
| `less`     | value <    | the largest (maximize)            |
| `greater`  | value >    | the smallest (minimize)           |
| `equal`    | value ==   | the first (no type of objective)  |

A value that is not a finite number counts as a step, but is not compared. For the objective the
best value so far is compared instead, so that a training that now yields `nan` can still be
stopped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from api.metric_values import finite
from api.types import Comparison, ObjectiveType, StopRule


@dataclass(frozen=True, slots=True, kw_only=True)
class StopState:
    """The state between two points; a part of the checkpoint."""

    steps: Mapping[str, int] = field(default_factory=dict)
    """Number of observations of each metric that has a rule."""
    best: float | None = None
    """The objective's best finite value."""
    met: frozenset[int] = frozenset()
    """Indexes of the rules that have been met."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRules:
    """The rules of one trial."""

    rules: Sequence[StopRule]
    objective: str
    objective_type: ObjectiveType

    def observe(self, state: StopState, name: str, value: str) -> StopState:
        """Return the state after another observation of a metric."""
        concerned = [index for index, rule in enumerate(self.rules) if rule.name == name]
        if not concerned:
            return state
        number = finite(value)
        best = state.best
        if name == self.objective:
            number = best = self._better(best, number)
        step = state.steps.get(name, 0) + 1
        met = {
            index
            for index in concerned
            if number is not None
            and step >= self.rules[index].start_step
            and _holds(self.rules[index], number)
        }
        return StopState(steps={**state.steps, name: step}, best=best, met=state.met | met)

    def stop(self, state: StopState) -> bool:
        """Return whether to stop the trial: it has rules, and all have been met."""
        return bool(self.rules) and len(state.met) == len(self.rules)

    def _better(self, best: float | None, number: float | None) -> float | None:
        if best is None or number is None:
            return number if best is None else best
        match self.objective_type:
            case ObjectiveType.MAXIMIZE:
                return max(best, number)
            case ObjectiveType.MINIMIZE:
                return min(best, number)
            case ObjectiveType.UNKNOWN:
                return best


def _holds(rule: StopRule, number: float) -> bool:
    match rule.comparison:
        case Comparison.EQUAL:
            return number == float(rule.value)
        case Comparison.LESS:
            return number < float(rule.value)
        case Comparison.GREATER:
            return number > float(rule.value)
