"""Katib's service `Suggestion`: decode, search, encode.

The service keeps nothing between two calls. If a search is random and the experiment has no
`random_state`, the service chooses one and returns it in the reply, as Katib allows: the controller
stores it in the Suggestion's status and sends it with each later request.

A search can run out of points (`grid`). Then the reply has fewer points than requested, and later
replies have none.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import Executor

from api.errors import UserError
from api.types import AlgorithmSpec, Experiment, Setting, SuggestedTrial, Trial
from api.v1beta1 import api_pb2 as pb
from api.v1beta1 import api_pb2_grpc
from api.wire.experiments import algorithm_to_wire, experiment_from_wire
from api.wire.trials import suggested_to_wire, trial_from_wire
from serving.grpc import Context
from serving.logs import get_logger
from suggestion.core.algorithm import RANDOM_STATE
from suggestion.core.search_space import Point
from suggestion.core.search_task import SearchTask, search_task_of

_log = get_logger(__name__)

MOST_POINTS = 10_000
"""Of one request; a larger number is a mistake."""
MOST_TRIALS = 1_000_000
"""Of one experiment; a larger number is a mistake."""


def _any_seed() -> int:
    return secrets.randbits(31)


class Suggestion(api_pb2_grpc.SuggestionServicer):
    """`api.v1.beta1.Suggestion`; `worker` does all work outside of the event loop."""

    def __init__(self, worker: Executor, any_seed: Callable[[], int] = _any_seed) -> None:
        self._worker, self._any_seed = worker, any_seed

    async def GetSuggestions(  # noqa: N802 - the wire's name
        self, request: pb.GetSuggestionsRequest, _: Context
    ) -> pb.GetSuggestionsReply:
        """Choose the parameters of the next trials."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._worker, self._reply, request)

    async def ValidateAlgorithmSettings(  # noqa: N802 - the wire's name
        self, request: pb.ValidateAlgorithmSettingsRequest, _: Context
    ) -> pb.ValidateAlgorithmSettingsReply:
        """Refuse an experiment with faults; the error has all of them."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._worker, _task, request.experiment)
        return pb.ValidateAlgorithmSettingsReply()

    def _reply(self, request: pb.GetSuggestionsRequest) -> pb.GetSuggestionsReply:
        experiment, task = _task(request.experiment)
        count = _count(request)
        trials = tuple(map(trial_from_wire, request.trials))
        seed = task.seed
        if seed is None:
            seed = self._any_seed() if task.seeded else 0
        earlier = max(request.total_request_number - count, len(trials))
        points = task.suggest(trials, earlier, count, seed)
        new_seed = seed if task.seed is None and task.seeded else None
        _log_reply(experiment, trials, earlier, count, points)
        return _encoded(experiment, points, new_seed)


def _task(message: pb.Experiment) -> tuple[Experiment, SearchTask]:
    experiment = experiment_from_wire(message)
    return experiment, search_task_of(experiment.spec)


def _count(request: pb.GetSuggestionsRequest) -> int:
    count = request.current_request_number
    if not 0 <= count <= MOST_POINTS:
        raise UserError(f"current_request_number: {count}; send a number from 0 to {MOST_POINTS}")
    total = request.total_request_number
    if not 0 <= total <= MOST_TRIALS:
        raise UserError(f"total_request_number: {total}; send a number from 0 to {MOST_TRIALS}")
    return count


def _encoded(
    experiment: Experiment, points: tuple[Point, ...], new_seed: int | None
) -> pb.GetSuggestionsReply:
    algorithm = None
    if new_seed is not None and experiment.spec.algorithm is not None:
        settings = (Setting(name=RANDOM_STATE, value=str(new_seed)),)
        algorithm = algorithm_to_wire(
            AlgorithmSpec(name=experiment.spec.algorithm.name, settings=settings)
        )
    suggested = (SuggestedTrial(name="", assignments=point) for point in points)
    return pb.GetSuggestionsReply(
        parameter_assignments=map(suggested_to_wire, suggested), algorithm=algorithm
    )


def _log_reply(
    experiment: Experiment,
    trials: tuple[Trial, ...],
    earlier: int,
    count: int,
    points: tuple[Point, ...],
) -> None:
    _log.info(
        "suggested",
        experiment=experiment.metadata.name,
        algorithm=experiment.spec.algorithm.name if experiment.spec.algorithm else None,
        trials=len(trials),
        requested_before=earlier,
        requested=count,
        suggested=len(points),
    )
