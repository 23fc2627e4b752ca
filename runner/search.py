"""The search algorithms in the runner, and the rules for early stopping."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

from api.types import (
    ConditionType,
    Experiment,
    Setting,
    StopRule,
    Trial,
    holds,
)
from controller.reconcile.views import SuggestionReply
from runner.database import StoredObservations
from stopping.median import NAME as MEDIAN_STOP
from suggestion.algorithms.median_stop import median_stop_of
from suggestion.core.algorithm import RANDOM_STATE, Proposal
from suggestion.core.search_task import search_task_of
from suggestion.service.checkpoints import Checkpoints, Naming, with_checkpoints


def _any_seed() -> int:
    return secrets.randbits(31)


class LocalSuggestions:
    """`controller.driver.ports.Suggestions`: calls the algorithms directly, in `worker`."""

    def __init__(
        self,
        worker: Executor,
        observations: StoredObservations,
        checkpoints: Path,
        any_seed: Callable[[], int] = _any_seed,
    ) -> None:
        """Make it; `checkpoints` is the folder of the directories of trials."""
        self._worker, self._observations = worker, observations
        self._checkpoints, self._any_seed = Checkpoints(folder=checkpoints), any_seed

    async def ask(
        self, experiment: Experiment, trials: Sequence[Trial], asked: int, count: int
    ) -> SuggestionReply:
        """Return the next trials."""
        loop = asyncio.get_running_loop()
        seed = self._any_seed()
        proposal, drawn = await loop.run_in_executor(
            self._worker, self._proposal, experiment, trials, asked, count, seed
        )
        rules = await self._rules(experiment, trials)
        own = () if drawn is None else (Setting(name=RANDOM_STATE, value=str(drawn)),)
        return SuggestionReply(
            trials=tuple(replace(trial, stop_rules=rules) for trial in proposal.trials),
            settings=(*proposal.settings, *own),
        )

    async def _rules(self, experiment: Experiment, trials: Sequence[Trial]) -> tuple[StopRule, ...]:
        spec = experiment.spec
        if spec.early_stopping is None or spec.objective is None:
            return ()
        if spec.early_stopping.name != MEDIAN_STOP:
            return ()
        stop = median_stop_of(spec.early_stopping)
        ended = [t for t in trials if holds(t.status.conditions, ConditionType.SUCCEEDED)]
        averages = [
            stop.average(await self._observations.values(trial, spec.objective.metric))
            for trial in ended
        ]
        return stop.rules(spec.objective, [one for one in averages if one is not None])

    def _proposal(
        self,
        experiment: Experiment,
        trials: Sequence[Trial],
        asked: int,
        count: int,
        any_seed: int,
    ) -> tuple[Proposal, int | None]:
        """Return the next trials, and the seed if it was drawn in this call."""
        task = search_task_of(experiment.spec, admitted=True)
        drawn = task.seed is None and task.seeded
        seed = any_seed if drawn else task.seed or 0
        earlier = max(asked, len(trials))
        proposal = task.propose(trials, earlier, count, seed)
        if task.has_checkpoints:
            naming = Naming(
                experiment=experiment.metadata.name,
                first=earlier,
                seed=seed,
                existing={trial.metadata.name for trial in trials},
            )
            proposal = with_checkpoints(proposal, naming, self._checkpoints)
        return proposal, seed if drawn else None
