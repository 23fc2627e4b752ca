"""The interface of a rule that stops trials, and what it receives.

An entry point of the group `trialwatch.early_stopping` names a `StoppingAlgorithm`. The rules of
this package have the same form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, Protocol

from api.algorithm_settings import Rule, Values, one_of
from api.errors import Fault
from api.types import ExperimentSpec
from stopping.curves import Curve, Mark, Resource

SETTINGS: Final = "spec.earlyStopping.algorithmSettings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """The objective's metric, and which of two values is better."""

    metric: str
    maximize: bool = False

    def loss(self, value: float) -> float:
        """Return the value, negated if it is maximized: less is better."""
        return -value if self.maximize else value

    def best(self, mark: Mark) -> float | None:
        """Return the best value up to a mark; None if no value was a finite number."""
        return mark.greatest if self.maximize else mark.least

    def least_loss(self, mark: Mark) -> float:
        """Return the loss of the best value up to a mark; infinite without a finite value."""
        best = self.best(mark)
        return float("inf") if best is None else self.loss(best)


class TrialState(Enum):
    """What a rule needs to know of a trial's state."""

    RUNNING = auto()
    SUCCEEDED = auto()
    STOPPED = auto()
    """Stopped early."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialHistory:
    """One trial, by its curves; trials that failed have none."""

    name: str
    state: TrialState
    curves: Mapping[str, Curve] = field(default_factory=dict)
    """By metric."""

    def curve(self, metric: str) -> Curve:
        """Return the curve of a metric, perhaps without marks."""
        return self.curves.get(metric) or Curve()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A running trial must stop."""

    trial: str
    why: str
    """Continues the sentence `Trial is early stopped: `."""


class StoppingRule(Protocol):
    """A rule with its settings."""

    def judge(self, goal: Goal, trials: Sequence[TrialHistory]) -> tuple[Verdict, ...]:
        """Return which of the running trials must stop.

        This is a pure function. Trials of any state may be compared, in any order; the order does
        not matter.
        """


def _no_faults(_spec: ExperimentSpec, _values: Values) -> Iterator[Fault]:
    return iter(())


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppingAlgorithm:
    """One rule that users may name in `spec.earlyStopping`."""

    make: Callable[..., StoppingRule]
    """Makes the rule; takes the given settings as keywords."""
    settings: tuple[Rule, ...] = ()
    validate: Callable[[ExperimentSpec, Values], Iterator[Fault]] = _no_faults
    """Yields the faults of settings that are all readable."""
    follows: Callable[[Values], tuple[str, ...]] = lambda _: ()
    """Returns which metrics the rule needs beside the objective's."""


RESOURCE: Final = one_of(
    "resource",
    tuple(Resource),
    'unknown resource "{}"',
    read=Resource,
)
"""The setting of rules that compare trials at the same amount of a resource."""


def amount_text(amount: float, resource: Resource) -> str:
    """Return an amount in words: `step 3`, `3 values` or `3 s`."""
    match resource:
        case Resource.STEP:
            return f"step {amount:g}"
        case Resource.POINTS:
            return "1 value" if amount == 1 else f"{amount:g} values"
        case Resource.SECONDS:
            return f"{amount:.3g} s"
