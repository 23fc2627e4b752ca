"""`hyperband`: many trials with few resources each; only the best of them get more.

A bracket begins with random configurations. When all trials of a rung have ended, one in `eta` of
them, the best, run again with `eta` times the resource, up to `r_l`. With r_l 9 and eta 3:

| bracket | first rung | second rung | third rung |
|---|---|---|---|
| 2 | 9 trials with 1 | 3 trials with 3 | 1 trial with 9 |
| 1 | 5 trials with 3 | 2 trials with 9 | |
| 0 | 3 trials with 9 | | |

A rung whose trials still run does not block: the next bracket begins meanwhile. After bracket 0,
the first bracket begins again with new configurations, until the experiment ends. A trial that
failed is never promoted.

The place of a trial in its bracket follows from its values: its resource says the rung, and the
same configuration with less resource says that it was promoted. So no state is needed. Katib's
service keeps its state in the settings; they are accepted and returned, but not read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from api.errors import Fault
from api.faults import invalid
from api.types import Assignment, ExperimentSpec, Setting, SuggestedTrial
from suggestion.algorithms.hyperband_brackets import Brackets, Ladder
from suggestion.algorithms.random_search import random_point
from suggestion.core.algorithm import (
    LARGEST_WHOLE,
    SETTINGS,
    Algorithm,
    Proposal,
    Rule,
    Values,
    text_setting,
)
from suggestion.core.search_space import Point, SearchSpace
from suggestion.core.trial_history import History, PastTrial

_ETA = 3.0
_STATE = ("s_max", "b_l", "r", "n", "current_s", "current_i", "evaluating_trials")
"""The settings in which Katib's service keeps its state."""
_MOST_STATE = 1e12


@dataclass(frozen=True, slots=True, kw_only=True)
class Hyperband:
    """Brackets of successive halving over one parameter, the resource."""

    r_l: float = 1.0
    """The largest resource."""
    resource_name: str = ""
    """The parameter that is the resource."""
    eta: float = _ETA
    """One in so many trials of a rung is promoted, with so many times the resource."""

    def suggest(
        self, space: SearchSpace, history: History, count: int, seed: int
    ) -> tuple[Point, ...]:
        """Return the next points: promoted ones first."""
        return tuple(one.assignments for one in self.propose(space, history, count, seed).trials)

    def propose(self, space: SearchSpace, history: History, count: int, seed: int) -> Proposal:
        """Return the same points, and the settings that Katib's service returns with them."""
        ladder = Ladder(self.r_l, self.eta)
        brackets = Brackets(ladder, self.resource_name)
        brackets.add_all(past for past in history if past.assignments)
        unknown = sum(past.running and not past.assignments for past in history)
        points: list[Point] = []
        # Running trials of which nothing is known count as the next ones: their points are not
        # returned. Those that have gone take no place, so others fill their rungs.
        for index in range(len(history) - unknown, len(history) + count):
            configuration = brackets.best_waiting()
            point = random_point(space, index, seed) if configuration is None else configuration
            point = self._with_resource(point, ladder.texts[brackets.next_level()])
            brackets.add(PastTrial(assignments=point, running=True))
            points.append(point)
        trials = tuple(SuggestedTrial(name="", assignments=point) for point in points[unknown:])
        return Proposal(trials=trials, settings=self._state(ladder, brackets) if trials else ())

    def _with_resource(self, point: Point, text: str) -> Point:
        return tuple(
            Assignment(name=one.name, value=text) if one.name == self.resource_name else one
            for one in point
        )

    def _state(self, ladder: Ladder, brackets: Brackets) -> tuple[Setting, ...]:
        """Return the settings of Katib's service, for the rung of the newest trial."""
        bracket, rung = brackets.newest
        s = ladder.last - bracket.first_level
        values = {
            "eta": self.eta,
            "s_max": ladder.last,
            "r_l": self.r_l,
            "b_l": (ladder.last + 1) * self.r_l,
            "r": ladder.texts[bracket.first_level],
            "n": bracket.rungs[0].size,
            "current_s": s,
            "current_i": rung,
            "resource_name": self.resource_name,
            "evaluating_trials": len(bracket.rungs[rung].members) if rung < s else 0,
        }
        return tuple(Setting(name=name, value=str(value)) for name, value in values.items())


def _make(**values: object) -> Hyperband:
    """Make the search; the settings of Katib's state have no effect."""
    return Hyperband(**{name: value for name, value in values.items() if name not in _STATE})  # type: ignore[arg-type]  # the rules have read them


def _validate(_space: SearchSpace, _spec: ExperimentSpec, values: Values) -> Iterator[Fault]:
    if any(name not in values for name in ALGORITHM.required):
        why = (
            "r_l and resource_name must be set.; write the largest resource, such as 27, and the"
            " name of the parameter that gets it, such as epochs"
        )
        yield invalid(SETTINGS, ", ".join(values), why)


def _admit(space: SearchSpace, spec: ExperimentSpec, values: Values) -> Iterator[Fault]:
    names = [dimension.name for dimension in space.dimensions]
    if values["resource_name"] not in names:
        settings = spec.algorithm.settings if spec.algorithm else ()
        indexes = [i for i, one in enumerate(settings) if one.name == "resource_name"]
        why = (
            "value of resource_name setting must be in parameters.; write one of"
            f" {', '.join(names)[:200]}"
        )
        yield invalid(f"{SETTINGS}[{indexes[-1]}].value", values["resource_name"], why)
    least = _least_parallel(values["r_l"], values.get("eta", _ETA))
    parallel = spec.parallel_trial_count or 0
    if parallel < least:
        why = (
            f"parallelTrialCount must be not less than {least}.; write {least}, as Katib asks for,"
            " or a smaller r_l or a larger eta"
        )
        yield invalid("spec.parallelTrialCount", parallel, why)


def _least_parallel(r_l: float, eta: float) -> int:
    """Return how many trials must run at the same time: Katib's number, with its rounding.

    With r_l 243 and eta 3, the logarithms give 4.999..., so Katib asks for 81 instead of 243.
    """
    return math.ceil(eta ** int(math.log(r_l) / math.log(eta)))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan  # the rule has one message for this and for numbers out of bounds


def _read_eta(text: str) -> float:
    """Read eta; Katib takes 3 in place of a number that is not positive."""
    eta = float(text)
    return _ETA if eta <= 0 else eta


def _state_rule(name: str) -> Rule:
    return Rule(
        name=name,
        read=float,
        write="nothing: Katib's service sets it",
        holds=lambda number: abs(number) <= _MOST_STATE,
        why=f"{name} must be a number",
    )


ALGORITHM = Algorithm(
    make=_make,
    rules=(
        Rule(
            name="r_l",
            read=_number,
            write=f"a number from 1 to {LARGEST_WHOLE}",
            holds=lambda resource: 1 <= resource < math.inf,
            why="r_l must be a positive float number.",
            most=LARGEST_WHOLE,
        ),
        text_setting("resource_name", "the name of a parameter"),
        Rule(
            name="eta",
            read=_read_eta,
            write=f"a number from 2 to {LARGEST_WHOLE}; 3 is usual",
            holds=lambda eta: 2 <= eta < math.inf,  # noqa: PLR2004 - the message has the number
            why="eta must be at least 2",
            most=LARGEST_WHOLE,
        ),
        *map(_state_rule, _STATE),
    ),
    required=("r_l", "resource_name"),
    validate=_validate,
    admit=_admit,
)
