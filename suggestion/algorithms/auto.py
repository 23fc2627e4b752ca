"""`auto`: chooses the search by the space, the number of trials, and how many run at the same time.

The first row that fits counts:

| the experiment | the search |
|---|---|
| has a `nasConfig` | `enas` |
| has parameters with one value only | `random` |
| has at most `maxTrialCount` combinations | `grid` |
| has at most twice as many trials as run at the same time | `qmc`: few results are known in time |
| has more than 20 parameters with a choice | `tpe` |
| has at most 250 trials | `gp` |
| has more than 1000 trials, and two or more ranges and no lists | `cmaes` |
| any other | `multivariate-tpe` |

The choice depends on the Experiment alone, so it needs no state. If `maxTrialCount` is changed, the
next point may come from another search: each of them goes on from the same history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from api.types import Setting, SuggestedTrial
from suggestion.core.algorithm import Algorithm, Proposal, text_setting
from suggestion.core.dimensions import Dimension, Listed
from suggestion.core.registry import find
from suggestion.core.search_space import Point, SearchSpace
from suggestion.core.trial_history import History

_MOST_PARAMETERS = 20
"""With more, a model of all parameters together needs too many trials."""
_MOST_FOR_GP = 250
"""As many trials as a Gaussian process is fitted to."""
_LEAST_FOR_CMAES = 1000
"""With fewer trials, its generations are too few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A search, and why it was chosen."""

    algorithm: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Auto:
    """Passes each question to the search that fits the experiment."""

    budget: int | None = None
    """`maxTrialCount`; None: no limit."""
    parallel: int = 1
    """How many trials run at the same time."""

    def suggest(
        self, space: SearchSpace, history: History, count: int, seed: int
    ) -> tuple[Point, ...]:
        """Return the points of the chosen search."""
        return find(self.choice(space).algorithm).make().suggest(space, history, count, seed)

    def propose(self, space: SearchSpace, history: History, count: int, seed: int) -> Proposal:
        """Return the same points, and settings that name the chosen search."""
        choice = self.choice(space)
        points = self.suggest(space, history, count, seed)
        return Proposal(
            trials=tuple(SuggestedTrial(name="", assignments=point) for point in points),
            settings=(
                Setting(name="chosen", value=choice.algorithm),
                Setting(name="reason", value=choice.reason),
            ),
        )

    def explain(self, space: SearchSpace) -> str:
        """Return which search was chosen, and why."""
        choice = self.choice(space)
        return f"auto chose {choice.algorithm}: {choice.reason}"

    def choice(self, space: SearchSpace) -> Choice:
        """Choose the search."""
        return self._without_model(space) or self._with_model(space.free)

    def _without_model(self, space: SearchSpace) -> Choice | None:
        budget, size = self.budget, space.size
        if space.network is not None:
            return Choice(algorithm="enas", reason="the experiment searches networks")
        if not space.free:
            return Choice(algorithm="random", reason="every parameter has one value only")
        if budget is None:
            return None
        if size is not None and size <= budget:
            reason = f"all {size} combinations fit into {budget} trials"
            return Choice(algorithm="grid", reason=reason)
        if budget <= 2 * self.parallel:
            reason = (
                f"{self.parallel} of {budget} trials run at the same time, so few results are known"
                " in time"
            )
            return Choice(algorithm="qmc", reason=reason)
        return None

    def _with_model(self, free: Sequence[Dimension]) -> Choice:
        budget = self.budget
        if len(free) > _MOST_PARAMETERS:
            reason = f"{len(free)} parameters are too many for a model of all of them together"
            return Choice(algorithm="tpe", reason=reason)
        if budget is None:
            reason = "maxTrialCount is not set, and its cost does not grow with the trials"
            return Choice(algorithm="multivariate-tpe", reason=reason)
        if budget <= _MOST_FOR_GP:
            reason = f"a Gaussian process can learn from all of {budget} trials"
            return Choice(algorithm="gp", reason=reason)
        lists = any(isinstance(dimension, Listed) for dimension in free)
        if budget > _LEAST_FOR_CMAES and len(free) > 1 and not lists:
            reason = f"{budget} trials are enough generations, and no parameter is a list"
            return Choice(algorithm="cmaes", reason=reason)
        reason = f"{budget} trials are many, and its cost does not grow with them"
        return Choice(algorithm="multivariate-tpe", reason=reason)


def _make(budget: int | None = None, parallel: int | None = None, **_: object) -> Auto:
    """Make the search; the settings that it has returned have no effect."""
    return Auto(budget=budget, parallel=parallel or 1)


ALGORITHM = Algorithm(
    make=_make,
    rules=(
        text_setting("chosen", "nothing: the search sets it"),
        text_setting("reason", "nothing: the search sets it"),
    ),
    budgeted=True,
    networks=True,
)
