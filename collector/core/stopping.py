"""When a trial has earned its early stop: the rules, over the points in the order of the log.

The trial is to be stopped when every rule has been met at some time. A rule is looked at from its
metric's N-th observation on, N its start step (0 and 1 are the same). Where the rule is about the
objective, the best value so far is compared, else the value itself:

| comparison | met when   | the objective's best is           |
|------------|------------|-----------------------------------|
| `less`     | value <    | the largest (maximize)            |
| `greater`  | value >    | the smallest (minimize)           |
| `equal`    | value ==   | the first (no type of objective)  |

A value that is no finite number is an observation and counts as a step, but it is compared with
nothing; the objective's best stands where there is one, so that a training that has run into
`nan` can still be stopped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from api.metric_values import finite
from api.types import Comparison, ObjectiveType, StopRule


@dataclass(frozen=True, slots=True, kw_only=True)
class StopState:
    """What is remembered between two points; a part of the checkpoint."""

    steps: Mapping[str, int] = field(default_factory=dict)
    """How often each metric that a rule is about has been observed."""
    best: float | None = None
    """The objective's best finite value."""
    met: frozenset[int] = frozenset()
    """Which rules have been met, by their place in the list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRules:
    """The rules of one trial."""

    rules: Sequence[StopRule]
    objective: str
    objective_type: ObjectiveType

    def observe(self, state: StopState, name: str, value: str) -> StopState:
        """Return the state after one more observation of a metric."""
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
        """Say whether the trial is to be stopped: it has rules, and all have been met."""
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
