"""`controller.ports.Suggestions`: services of search and early stopping, ours or Katib's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import grpc.aio

from api.errors import UserError
from api.types import Experiment, Setting, StopRule, SuggestedTrial, Trial
from api.v1beta1 import api_pb2 as pb
from api.v1beta1 import api_pb2_grpc
from api.wire.experiments import early_stopping_to_wire, experiment_to_wire
from api.wire.trials import rule_from_wire, suggested_from_wire, trial_to_wire
from controller.ports import Answer
from controller.remote_calls import StumbledError, UnknownCallError, answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Where an experiment's search is asked."""

    suggestion: grpc.aio.Channel
    early_stopping: grpc.aio.Channel | None = None
    db_manager: str = ""
    """The DB manager's address, as the early-stopping service reaches it."""


class RemoteSuggestions:
    """A suggestion service for each experiment, or one for all."""

    def __init__(self, services: Callable[[Experiment], Services], seconds: float = 300.0) -> None:
        """`services` says where to ask, `seconds` is the longest that one answer may take."""
        self._services, self._seconds = services, seconds

    async def ask(
        self, experiment: Experiment, trials: Sequence[Trial], asked: int, count: int
    ) -> Answer:
        """Choose the next trials; settings are validated before the first question."""
        services = self._services(experiment)
        if asked == 0:
            await self._validate(services, experiment)
        stub = _suggestion(services)
        request = pb.GetSuggestionsRequest(
            experiment=experiment_to_wire(experiment),
            trials=map(trial_to_wire, trials),
            current_request_number=count,
            total_request_number=asked + count,
        )
        reply = await self._call(stub.GetSuggestions, request)
        rules = await self._rules(services, experiment, trials)
        suggested = map(suggested_from_wire, reply.parameter_assignments)
        return Answer(
            trials=tuple(_with_rules(trial, rules) for trial in suggested),
            settings=tuple(
                Setting(name=one.name, value=one.value)
                for one in reply.algorithm.algorithm_settings
            ),
        )

    async def _validate(self, services: Services, experiment: Experiment) -> None:
        """Refuse what the services refuse; one that has no such call takes everything."""
        request = pb.ValidateAlgorithmSettingsRequest(experiment=experiment_to_wire(experiment))
        await self._validated(_suggestion(services).ValidateAlgorithmSettings, request)
        spec = experiment.spec.early_stopping
        if spec is not None and services.early_stopping is not None:
            settings = pb.ValidateEarlyStoppingSettingsRequest(
                early_stopping=early_stopping_to_wire(spec)
            )
            await self._validated(_stopping(services).ValidateEarlyStoppingSettings, settings)

    async def _validated(self, method: Callable[..., Awaitable[object]], request: object) -> None:
        try:
            await self._call(method, request)
        except UnknownCallError:
            return
        except StumbledError as error:
            # A service of Katib's that stumbles over settings answers so.
            raise UserError(str(error)) from None

    async def _rules(
        self, services: Services, experiment: Experiment, trials: Sequence[Trial]
    ) -> tuple[StopRule, ...]:
        if experiment.spec.early_stopping is None or services.early_stopping is None:
            return ()
        request = pb.GetEarlyStoppingRulesRequest(
            experiment=experiment_to_wire(experiment),
            trials=map(trial_to_wire, trials),
            db_manager_address=services.db_manager,
        )
        reply = await self._call(_stopping(services).GetEarlyStoppingRules, request)
        return tuple(map(rule_from_wire, reply.early_stopping_rules))

    async def _call(self, method: Callable[..., Awaitable[Any]], request: object) -> Any:  # noqa: ANN401 - generated
        return await answer("the suggestion service", method, request, self._seconds)


def _suggestion(services: Services) -> Any:  # noqa: ANN401 - the generated stubs have no types
    channel: Any = services.suggestion
    return api_pb2_grpc.SuggestionStub(channel)


def _stopping(services: Services) -> Any:  # noqa: ANN401 - the same
    channel: Any = services.early_stopping
    return api_pb2_grpc.EarlyStoppingStub(channel)


def _with_rules(trial: SuggestedTrial, rules: tuple[StopRule, ...]) -> SuggestedTrial:
    return replace(trial, stop_rules=rules)
