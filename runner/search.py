"""The search algorithms in the runner, and the rules for early stopping."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace

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
from suggestion.algorithms.median_stop import median_stop_of
from suggestion.core.algorithm import RANDOM_STATE, Proposal
from suggestion.core.search_task import search_task_of


def _any_seed() -> int:
    return secrets.randbits(31)


class LocalSuggestions:
    """`controller.driver.ports.Suggestions`: calls the algorithms directly, in `worker`."""

    def __init__(
        self,
        worker: Executor,
        observations: StoredObservations,
        any_seed: Callable[[], int] = _any_seed,
    ) -> None:
        self._worker, self._observations, self._any_seed = worker, observations, any_seed

    async def ask(
        self, experiment: Experiment, trials: Sequence[Trial], asked: int, count: int
    ) -> SuggestionReply:
        """Return the next trials."""
        loop = asyncio.get_running_loop()
        seed = self._any_seed()
        proposal, drawn = await loop.run_in_executor(
            self._worker, _proposal, experiment, trials, asked, count, seed
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
        stop = median_stop_of(spec.early_stopping)
        ended = [t for t in trials if holds(t.status.conditions, ConditionType.SUCCEEDED)]
        averages = [
            stop.average(await self._observations.values(trial, spec.objective.metric))
            for trial in ended
        ]
        return stop.rules(spec.objective, [one for one in averages if one is not None])


def _proposal(
    experiment: Experiment, trials: Sequence[Trial], asked: int, count: int, any_seed: int
) -> tuple[Proposal, int | None]:
    """Return the next trials, and the seed if it was drawn in this call."""
    task = search_task_of(experiment.spec, admitted=True)
    seed = any_seed if task.seed is None and task.seeded else task.seed or 0
    proposal = task.propose(trials, max(asked, len(trials)), count, seed)
    return proposal, seed if task.seed is None and task.seeded else None
