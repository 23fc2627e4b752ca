"""What Katib's services take and say, and trialwatch's core does not.

Katib's controller sends whole experiments; other callers send less, and Katib's services answer:

| the request | here |
|---|---|
| an objective without type or metric, or none | completed from the trials of the request |
| an int with a step that is not whole | the step is rounded down, to 1 at least |
| `ValidateAlgorithmSettings` without objective or parameters | only what is there is checked |

Katib's services begin an error with the sentence about the setting, so callers compare its start.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from api.errors import Fault, SpecError
from api.types import ExperimentSpec, Objective, ObjectiveType, ParameterSpec, ParameterType, Trial

_JUDGED: Final = ("spec.algorithm", "spec.parallelTrialCount", "spec.nasConfig")
"""Where faults are that Katib's services know too."""
_INVALID: Final = re.compile(r'Invalid value: ("(?:[^"\\]|\\.)*"|[^:"]*): (.*)', re.DOTALL)
_MISSING: Final = re.compile(r"(Required value): ((?:Missing|Step) .*)", re.DOTALL)
"""Of `spec.nasConfig`."""


def completed(spec: ExperimentSpec, trials: Sequence[Trial]) -> ExperimentSpec:
    """Return the experiment with whole steps, and with the objective that its trials have.

    Without any trial no objective is needed: all searches begin without one.
    """
    own = (trial.spec.objective for trial in trials if trial.spec.objective is not None)
    objective = _joined(spec.objective, next(own, None))
    if not trials:
        objective = _joined(objective, Objective(type=ObjectiveType.MINIMIZE, metric="unknown"))
    return replace(
        spec, objective=objective, parameters=tuple(map(_with_whole_step, spec.parameters))
    )


def in_katibs_words(error: SpecError) -> str:
    """Return the faults, one a line, each fault of the algorithm with its sentence first."""
    return "\n".join(_lines(error.faults))


def _lines(faults: Iterable[Fault]) -> Iterable[str]:
    for fault in faults:
        parts = None
        if fault.path.startswith(_JUDGED):
            parts = _INVALID.fullmatch(fault.message) or _MISSING.fullmatch(fault.message)
        yield f"{parts[2]} ({fault.path}: {parts[1]})" if parts else str(fault)


def _joined(objective: Objective | None, other: Objective | None) -> Objective | None:
    """Fill in the type and the metric of an objective."""
    if objective is None or other is None:
        return objective or other
    unknown = objective.type is ObjectiveType.UNKNOWN
    return replace(
        objective,
        type=other.type if unknown else objective.type,
        metric=objective.metric or other.metric,
    )


def _with_whole_step(parameter: ParameterSpec) -> ParameterSpec:
    step = parameter.space.step
    if parameter.type is not ParameterType.INT or not step:
        return parameter
    try:
        number = float(step)
    except ValueError:
        return parameter
    if not 0 < number < math.inf or number.is_integer():
        return parameter
    space = replace(parameter.space, step=str(max(1, math.floor(number))))
    return replace(parameter, space=space)
