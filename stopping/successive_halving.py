"""`asha` and `hyperband-stop`: at each rung, only the best share of the trials goes on.

The rungs are `min_resource`, and each further one `reduction_factor` times that before. A trial
that reaches a rung is compared, by its best value until there, with the trials that have reached it
before. It goes on if it is among the best `1 / reduction_factor` of them, rounded up. Others that
come later do not change this: a trial whose first values are bad may still
become the best.

A trial that passes several rungs between two judgements is compared at each of them, so it does not
matter how often a judge looks.

With several brackets, each trial belongs to one of them by a hash of its name. Bracket number `b`
begins at rung `b`, so its trials run longer before they are compared; trials are compared within
their bracket. `hyperband-stop` has as many brackets as there are rungs. As in Hyperband, the
brackets that begin early have more trials.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, NamedTuple
from zlib import crc32

from api.algorithm_settings import Values, number, whole
from api.errors import Fault
from api.faults import invalid, required
from api.types import ExperimentSpec
from stopping.curves import Resource
from stopping.rule import (
    RESOURCE,
    SETTINGS,
    Goal,
    StoppingAlgorithm,
    TrialHistory,
    TrialState,
    Verdict,
    amount_text,
)

_LEAST: Final = 0.001
_MOST: Final = 1e9
_MOST_RUNGS: Final = 64
_MOST_BRACKETS: Final = 20


class _Arrival(NamedTuple):
    """A trial at a rung."""

    micros: int
    """When it reached the rung, in microseconds since 1970."""
    loss: float
    """Of its best value until then."""


class _Place(NamedTuple):
    """How a trial compares with those that were at the rung before it."""

    better: int
    trials: int
    """With itself."""
    keep: int
    """How many of them go on."""


class _Rung(NamedTuple):
    """All trials that have reached a rung."""

    arrivals: Mapping[str, _Arrival]

    def place(self, name: str, factor: int) -> _Place:
        """Compare a trial; trials that arrive at the same time count for each other."""
        own = self.arrivals[name]
        losses = [one.loss for one in self.arrivals.values() if one.micros <= own.micros]
        better = sum(loss < own.loss for loss in losses)
        return _Place(better, len(losses), -(-len(losses) // factor))


@dataclass(frozen=True, slots=True, kw_only=True)
class SuccessiveHalving:
    """The settings of both rules."""

    name: str
    reduction_factor: int = 4
    min_resource: float = 1.0
    max_resource: float | None = None
    """No rung is as high as this."""
    resource: Resource = Resource.STEP
    brackets: int = 1

    def judge(self, goal: Goal, trials: Sequence[TrialHistory]) -> tuple[Verdict, ...]:
        """Stop the running trials that are not among the best of their rung."""
        return tuple(
            verdict
            for bracket in range(self.brackets)
            for verdict in self._judge(
                goal, [one for one in trials if self._bracket_of(one.name) == bracket], bracket
            )
        )

    def _judge(self, goal: Goal, trials: Sequence[TrialHistory], bracket: int) -> Iterator[Verdict]:
        curves = {one.name: one.curve(goal.metric) for one in trials}
        left = {one.name for one in trials if one.state is TrialState.RUNNING}
        for rung in self._rungs(bracket):
            here = _Rung(
                {
                    name: _Arrival(curve.begun + round(1e6 * mark.seconds), goal.least_loss(mark))
                    for name, curve in curves.items()
                    if (mark := curve.at(rung, self.resource))
                },
            )
            if not left & here.arrivals.keys():
                return
            for name in sorted(left & here.arrivals.keys()):
                place = here.place(name, self.reduction_factor)
                if place.better >= place.keep:
                    left.discard(name)
                    yield Verdict(trial=name, why=self._why(goal, place, rung))

    def _rungs(self, bracket: int) -> Iterator[float]:
        """Yield the rungs of a bracket, from the lowest on."""
        rung = self.min_resource * self.reduction_factor**bracket
        for _ in range(_MOST_RUNGS):
            if self.max_resource is not None and rung >= self.max_resource:
                return
            yield rung
            rung *= self.reduction_factor

    def _bracket_of(self, name: str) -> int:
        """Return the bracket of a trial: early brackets have more trials, as in Hyperband."""
        if self.brackets == 1:
            return 0
        weights = [
            math.ceil(self.brackets * self.reduction_factor**early / (early + 1))
            for early in reversed(range(self.brackets))
        ]
        place = crc32(name.encode()) % sum(weights)
        return next(b for b, until in enumerate(accumulate(weights)) if place < until)

    def _why(self, goal: Goal, place: _Place, rung: float) -> str:
        return (
            f"{self.name}: {place.better} of {place.trials} trials had a better {goal.metric} until"
            f" {amount_text(rung, self.resource)}; the best {place.keep} go on"
        )


def _hyperband(**values: object) -> SuccessiveHalving:
    made = SuccessiveHalving(**values, name="hyperband-stop")  # type: ignore[arg-type]  # as `settings` reads them
    highest = made.max_resource or made.min_resource
    ratio = math.log(highest / made.min_resource, made.reduction_factor)
    # Without the ten-digit rounding, log(81, 3) would be less than 4.
    return SuccessiveHalving(
        **values,  # type: ignore[arg-type]  # the same
        name="hyperband-stop",
        brackets=min(_MOST_BRACKETS, max(1, math.ceil(round(ratio, 10)))),
    )


def _asha(**values: object) -> SuccessiveHalving:
    return SuccessiveHalving(**values, name="asha")  # type: ignore[arg-type]  # as `settings` reads them


def _asha_faults(_: ExperimentSpec, values: Values) -> Iterator[Fault]:
    made = _asha(**values)
    lowest = made.min_resource * made.reduction_factor ** (made.brackets - 1)
    if made.max_resource is not None and lowest >= made.max_resource:
        why = (
            f"the first rung of the last bracket is {lowest:g} (min_resource *"
            " reduction_factor ** (brackets - 1)), so no trial would be compared; write more"
        )
        yield invalid(f"{SETTINGS}.max_resource", made.max_resource, why)


def _hyperband_faults(spec: ExperimentSpec, values: Values) -> Iterator[Fault]:
    if "max_resource" not in values:
        why = "must be specified: the most that a trial uses, such as its number of epochs"
        yield required(f"{SETTINGS}.max_resource", why)
    else:
        yield from _asha_faults(spec, values)


_SETTINGS = (
    whole(
        "reduction_factor", least=2, most=100, why="reduction_factor must be greater than one (>1)"
    ),
    number("min_resource", least=_LEAST, most=_MOST, why="min_resource must be positive"),
    number("max_resource", least=_LEAST, most=_MOST, why="max_resource must be positive"),
    RESOURCE,
)
_BRACKETS = whole(
    "brackets", least=1, most=_MOST_BRACKETS, why="brackets must be greater than zero (>0)"
)

ASHA = StoppingAlgorithm(make=_asha, settings=(*_SETTINGS, _BRACKETS), validate=_asha_faults)
HYPERBAND = StoppingAlgorithm(make=_hyperband, settings=_SETTINGS, validate=_hyperband_faults)
