"""What is wrong with a tuning line as a whole, or allowed but probably not meant."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from api.types import Distribution, ObjectiveType, ParameterType
from trialwatch.tuning.candidates import direction_of
from trialwatch.tuning.corrections import LineError, param_instead
from trialwatch.tuning.experiment import GRID
from trialwatch.tuning.request import TuningRequest

_OTHER_VARIABLE = re.compile(r"\s[A-Za-z_]\w*=")
_OTHER = {ObjectiveType.MINIMIZE: "--minimize", ObjectiveType.MAXIMIZE: "--maximize"}


def endless_grid(request: TuningRequest) -> Iterator[LineError]:
    """Yield an error for each parameter with endless values, if the algorithm is a grid."""
    if request.algorithm.name != GRID:
        return
    for name, space in request.spaces.items():
        if space.type is ParameterType.DOUBLE and not space.feasible.step:
            low, high = float(space.feasible.min), float(space.feasible.max)
            is_log = space.feasible.distribution is Distribution.LOG_UNIFORM
            middle = math.sqrt(low * high) if is_log else (low + high) / 2
            values = ",".join(f"{number:.6g}" for number in (low, middle, high))
            yield LineError(
                f"--algorithm grid needs a list or a step, and {name}={space} has endless values:"
                f" write --param {name}={values}, or {name}={space}:step=NUMBER",
                param_instead(f"{name}=", f"{name}={values}"),
            )


def doubts_about(request: TuningRequest) -> Iterator[str]:
    """Yield a sentence for each doubt, with what to write if it is right."""
    objective = request.objective
    usual = direction_of(objective.metric)
    if usual is not ObjectiveType.UNKNOWN and usual is not objective.type:
        yield (
            f"{objective.metric} sounds like a metric for {_OTHER[usual]}, and the line has"
            f" {_OTHER[objective.type]}"
        )
    for name, value in request.command.variables:
        if _OTHER_VARIABLE.search(value):
            yield (
                f"the variable {name} has the whole value {value!r}: write each variable as a word"
                " of its own, with quotes around its value alone, such as A={lr} B='x y'"
            )
    for name, space in request.spaces.items():
        bounds = (space.feasible.min, space.feasible.max)
        if space.type is ParameterType.INT and bounds == ("0", "1"):
            yield (
                f"--param {name}={space} has only the whole numbers 0 and 1; for fractions, write"
                f" --param {name}=0.0..1"
            )
