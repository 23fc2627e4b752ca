"""What is allowed on a tuning line, but probably not meant."""

from __future__ import annotations

from collections.abc import Iterator

from api.types import ObjectiveType, ParameterType
from trialwatch.tuning.candidates import direction_of
from trialwatch.tuning.request import TuningRequest

_OTHER = {ObjectiveType.MINIMIZE: "--minimize", ObjectiveType.MAXIMIZE: "--maximize"}


def doubts_about(request: TuningRequest) -> Iterator[str]:
    """Yield a sentence for each doubt, with what to write if it is right."""
    objective = request.objective
    usual = direction_of(objective.metric)
    if usual is not ObjectiveType.UNKNOWN and usual is not objective.type:
        yield (
            f"{objective.metric} sounds like a metric for {_OTHER[usual]}, and the line has"
            f" {_OTHER[objective.type]}"
        )
    for name, space in request.spaces.items():
        bounds = (space.feasible.min, space.feasible.max)
        if space.type is ParameterType.INT and bounds == ("0", "1"):
            yield (
                f"--param {name}={space} has only the whole numbers 0 and 1; for fractions, write"
                f" --param {name}=0.0..1"
            )
