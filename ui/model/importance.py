"""How much each parameter matters for the objective, with its uncertainty.

PED-ANOVA (by Optuna) compares the best tenth of the trials with all of them, one parameter at a
time, so it suits a search that looks mostly near the best. It is computed again for samples of the
trials, drawn with replacement: the spread says how far to trust it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from api.metric_values import finite
from api.types import ObjectiveType, ParameterType
from ui.model.best import COUNTED
from ui.model.experiment_page import axis_of
from ui.model.experiment_summary import ExperimentSummary, TrialRow
from ui.model.numbers import six

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study

LEAST_TRIALS = 8
"""With fewer trials, any number would mislead."""
_SAMPLES = 24
_MOST_TRIALS = 2000
"""Of more trials, the newest are used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterImportance:
    """The importance of one parameter, as its part of the whole: from 0 to 1."""

    name: str
    value: float
    low: float
    """A tenth of the samples lies below."""
    high: float
    """A tenth of the samples lies above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """The importance of all parameters, the greatest first."""

    trials: int
    """How many trials count."""
    method: str
    why_not: str
    """Why there is no importance yet; "" if there is one."""
    parameters: tuple[ParameterImportance, ...]


def importance_of(summary: ExperimentSummary) -> Importance:
    """Compute the importance of each parameter; it takes seconds for thousands of trials."""
    rows = [row for row in summary.rows if row.state in COUNTED and row.value is not None]
    rows = rows[-_MOST_TRIALS:]
    if why_not := _why_not(summary, rows):
        return Importance(trials=len(rows), method="PED-ANOVA", why_not=why_not, parameters=())
    chance = random.Random(0)  # noqa: S311 - the same picture for the same trials
    whole = _shares(summary, rows)
    samples = [_shares(summary, [chance.choice(rows) for _ in rows]) for _ in range(_SAMPLES)]
    found = []
    for name, share in whole.items():
        spread = sorted(sample.get(name, 0.0) for sample in samples)
        tenth = _SAMPLES // 10
        found.append(
            ParameterImportance(
                name=name,
                value=six(share) or 0.0,
                low=six(min(spread[tenth], share)) or 0.0,
                high=six(max(spread[-1 - tenth], share)) or 0.0,
            )
        )
    found.sort(key=lambda one: (-one.value, one.name))
    return Importance(trials=len(rows), method="PED-ANOVA", why_not="", parameters=tuple(found))


def _why_not(summary: ExperimentSummary, rows: Sequence[TrialRow]) -> str:
    if len(rows) < LEAST_TRIALS:
        return f"It needs {LEAST_TRIALS} trials with a result, and there are {len(rows)}."
    if len({row.value for row in rows}) == 1:
        return "All trials have the same result, so no parameter has mattered."
    if len(summary.parameters) == 1:
        return "The search has only one parameter."
    return ""


def _shares(summary: ExperimentSummary, rows: Sequence[TrialRow]) -> dict[str, float]:
    from optuna.importance import PedAnovaImportanceEvaluator  # noqa: PLC0415 - takes a second

    study = _study(summary, rows)
    if not study.trials or len({trial.value for trial in study.trials}) == 1:
        return {}
    raw = PedAnovaImportanceEvaluator().evaluate(study)
    total = sum(raw.values())
    return {name: value / total for name, value in raw.items()} if total > 0 else {}


def _study(summary: ExperimentSummary, rows: Sequence[TrialRow]) -> Study:
    import optuna  # noqa: PLC0415 - takes a second

    optuna.logging.set_verbosity(optuna.logging.WARNING)  # a log line for each study has no use
    less = summary.objective.type is ObjectiveType.MINIMIZE
    spaces = _distributions(summary, rows)
    study = optuna.create_study(direction="minimize" if less else "maximize")
    study.add_trials(
        [
            optuna.trial.create_trial(
                params=_params(summary, row), distributions=spaces, value=row.value
            )
            for row in rows
        ]
    )
    return study


def _params(summary: ExperimentSummary, row: TrialRow) -> dict[str, float | str]:
    texts = {one.name: one.value for one in row.assignments}
    return {
        spec.name: (finite(texts.get(spec.name, "")) or 0.0)
        if axis_of(spec).is_number
        else texts.get(spec.name, "")
        for spec in summary.parameters
    }


def _distributions(
    summary: ExperimentSummary, rows: Sequence[TrialRow]
) -> dict[str, BaseDistribution]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution  # noqa: PLC0415

    spaces: dict[str, BaseDistribution] = {}
    for spec in summary.parameters:
        seen = [_params(summary, row)[spec.name] for row in rows]
        if spec.type in (ParameterType.DOUBLE, ParameterType.INT):
            numbers = [value for value in seen if isinstance(value, float)]
            low, high = min(numbers), max(numbers)
            is_log = axis_of(spec).is_log and low > 0
            spaces[spec.name] = FloatDistribution(low, max(high, low), log=is_log)
        else:
            known = dict.fromkeys([*spec.space.list, *(str(value) for value in seen)])
            spaces[spec.name] = CategoricalDistribution(tuple(known))
    return spaces
