"""Additional metrics that no trial of a run has printed: their names are probably misspelt."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from api.errors import Fault
from api.faults import quoted
from api.names import UNAVAILABLE
from api.types import Experiment, ObservedMetric, Trial


def unseen_metrics(experiment: Experiment, trials: Sequence[Trial]) -> Iterator[Fault]:
    """Yield a fault for each additional metric that is in no trial, if any trial has metrics.

    If no trial has metrics at all, the trials themselves say why.
    """
    measured = [trial for trial in trials if any(one.latest != UNAVAILABLE for one in _seen(trial))]
    if not measured or experiment.spec.objective is None:
        return
    names = {metric.name for trial in measured for metric in _seen(trial)}
    for i, name in enumerate(experiment.spec.objective.additional):
        if name not in names:
            yield Fault(f"spec.objective.additionalMetricNames[{i}]", _unseen(name, measured))


def _seen(trial: Trial) -> tuple[ObservedMetric, ...]:
    observation = trial.status.observation
    return observation.metrics if observation else ()


def _unseen(name: str, measured: Sequence[Trial]) -> str:
    count = len(measured)
    trials = "the only trial" if count == 1 else f"none of {count} trials"
    verb = "has not printed" if count == 1 else "has printed"
    log = f"trialwatch logs {measured[-1].metadata.name}"
    return (
        f"{trials} with metrics {verb} {quoted(name)}; compare the name with the output:"
        f" {log} | trialwatch extract --metrics {shlex.quote(name)} -"
    )
