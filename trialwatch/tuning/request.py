"""What a user asks for on one line: a command, its parameters, and the metric to optimize."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from api.types import AlgorithmSpec, EarlyStoppingSpec, LogFormat, Objective, ParameterSpec
from trialwatch.tuning.command import Command
from trialwatch.tuning.space import Space

TRIALS = 20
"""How many trials run if the user does not say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsFile:
    """The file into which the program writes its metrics."""

    path: str
    """Absolute. Each trial has its own directory at this place."""
    format: LogFormat = LogFormat.TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningRequest:
    """The search that a user wants. `build_experiment` makes an Experiment of it."""

    command: Command
    spaces: Mapping[str, Space]
    """By parameter name."""
    objective: Objective
    algorithm: AlgorithmSpec
    name: str = ""
    """The name of the Experiment; "" derives it from the command and the search."""
    early_stopping: EarlyStoppingSpec | None = None
    trials: int = TRIALS
    parallel: int | None = None
    """How many trials run at the same time; None takes Katib's default."""
    metrics_file: MetricsFile | None = None
    """None: the metrics are in the program's output."""
    filters: tuple[str, ...] = ()
    """`metricsFormat`s; without one, metrics are found by their names."""
    image: str = ""
    """The image of the program on a cluster."""
    gpus: int = 0
    """How many NVIDIA GPUs each trial needs."""

    @property
    def parameters(self) -> tuple[ParameterSpec, ...]:
        """The parameters of the search, in the user's order."""
        return tuple(space.parameter(name) for name, space in self.spaces.items())
