"""`controller.driver.ports.Suggestions`: services of search and early stopping, ours or Katib's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import grpc.aio

from api.errors import RemoteError, UserError
from api.names import NAMESPACE_METADATA
from api.types import (
    ConditionType,
    Experiment,
    Setting,
    StopRule,
    SuggestedTrial,
    Trial,
    holds,
)
from api.v1beta1 import api_pb2 as pb
from api.v1beta1 import api_pb2_grpc
from api.wire.experiments import early_stopping_to_wire, experiment_to_wire
from api.wire.trials import rule_from_wire, suggested_from_wire
from controller.over_grpc.calls import (
    UnimplementedCallError,
    UnknownStatusError,
    call_service,
    wait_until_connected,
)
from controller.over_grpc.history_cache import HistoryCache
from controller.reconcile.trial_states import has_ended
from controller.reconcile.views import SuggestionReply

# These two are sent as bytes, which the generated stubs do not take.
_SUGGESTIONS = "/api.v1.beta1.Suggestion/GetSuggestions"
_RULES = "/api.v1.beta1.EarlyStopping/GetEarlyStoppingRules"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTargets:
    """The services that an experiment's search calls."""

    suggestion: grpc.aio.Channel
    early_stopping: grpc.aio.Channel | None = None
    db_manager: str = ""
    """The DB manager's address for the early-stopping service."""
    address: str = ""
    """The address of the suggestion service, for messages."""
    stopping_address: str = ""
    """The address of the early-stopping service, for messages."""
    follows_katib: bool = False
    """Whether the services follow Katib's protocol: they receive the history that Katib sends, and
    must return as many points as were requested."""


@dataclass(frozen=True, slots=True)
class _Target:
    """A service, and the namespace for which it is called."""

    name: str
    address: str
    namespace: str

    def __str__(self) -> str:
        return f"{self.name} at {self.address}" if self.address else self.name


class RemoteSuggestions:
    """Calls a suggestion service for each experiment, or one for all."""

    def __init__(
        self,
        targets_of: Callable[[Experiment], SearchTargets],
        seconds: float = 300.0,
        patience: float = 10.0,
        history_cache: HistoryCache | None = None,
    ) -> None:
        """`targets_of` returns the services to call; `seconds` is the deadline of a call.

        A service that is unavailable is waited for, up to `patience` seconds: it may be restarting.
        """
        self._targets_of, self._seconds, self._patience = targets_of, seconds, patience
        self._history_cache = HistoryCache() if history_cache is None else history_cache

    async def ask(
        self, experiment: Experiment, trials: Sequence[Trial], asked: int, count: int
    ) -> SuggestionReply:
        """Choose the next trials; settings are validated before the first request."""
        targets = self._targets_of(experiment)
        for channel in (targets.suggestion, targets.early_stopping):
            if channel is not None:
                await wait_until_connected(channel, self._patience)
        if asked == 0:
            await self._validate(targets, experiment)
        known = tuple(filter(_as_katib_sends, trials)) if targets.follows_katib else trials
        # The rules first: a service that remembers its suggestions is called last.
        rules = await self._rules(targets, experiment, known)
        request = pb.GetSuggestionsRequest(
            experiment=experiment_to_wire(experiment),
            current_request_number=count,
            total_request_number=asked + count,
        )
        method = targets.suggestion.unary_unary(
            _SUGGESTIONS,
            request_serializer=bytes,
            response_deserializer=pb.GetSuggestionsReply.FromString,
        )
        encoded = self._history_cache.with_trials(request, known)
        reply = await self._call(_search_target(targets, experiment), method, encoded)
        suggested = tuple(map(suggested_from_wire, reply.parameter_assignments))
        final = _is_final(targets, trials, len(suggested), count)
        return SuggestionReply(
            trials=tuple(_with_rules(trial, rules) for trial in suggested),
            settings=tuple(
                Setting(name=setting.name, value=setting.value)
                for setting in reply.algorithm.algorithm_settings
            ),
            final=final,
        )

    async def _validate(self, targets: SearchTargets, experiment: Experiment) -> None:
        """Let the services validate the settings; one without this call accepts all of them."""
        request = pb.ValidateAlgorithmSettingsRequest(experiment=experiment_to_wire(experiment))
        method = _suggestion_stub(targets).ValidateAlgorithmSettings
        target = _search_target(targets, experiment)
        await self._validated(target, "ValidateAlgorithmSettings", method, request)
        spec = experiment.spec.early_stopping
        if spec is not None and targets.early_stopping is not None:
            settings = pb.ValidateEarlyStoppingSettingsRequest(
                early_stopping=early_stopping_to_wire(spec)
            )
            method = _stopping_stub(targets).ValidateEarlyStoppingSettings
            target = _stopping_target(targets, experiment)
            await self._validated(target, "ValidateEarlyStoppingSettings", method, settings)

    async def _validated(
        self,
        target: _Target,
        name: str,
        method: Callable[..., Awaitable[object]],
        request: object,
    ) -> None:
        try:
            await self._call(target, method, request)
        except UnimplementedCallError:
            return
        except (UnknownStatusError, UserError) as error:
            # Katib's services fail with UNKNOWN on wrong settings. The prefix is Katib's, too.
            details = error.details if isinstance(error, UnknownStatusError) else str(error)
            raise UserError(f"{name} Error: {details}") from None

    async def _rules(
        self, targets: SearchTargets, experiment: Experiment, trials: Sequence[Trial]
    ) -> tuple[StopRule, ...]:
        if experiment.spec.early_stopping is None or targets.early_stopping is None:
            return ()
        request = pb.GetEarlyStoppingRulesRequest(
            experiment=experiment_to_wire(experiment), db_manager_address=targets.db_manager
        )
        method = targets.early_stopping.unary_unary(
            _RULES,
            request_serializer=bytes,
            response_deserializer=pb.GetEarlyStoppingRulesReply.FromString,
        )
        encoded = self._history_cache.with_trials(request, trials)
        reply = await self._call(_stopping_target(targets, experiment), method, encoded)
        return tuple(map(rule_from_wire, reply.early_stopping_rules))

    async def _call(
        self, target: _Target, method: Callable[..., Awaitable[Any]], request: object
    ) -> Any:  # noqa: ANN401 - generated
        metadata = ((NAMESPACE_METADATA, target.namespace),)
        return await call_service(str(target), method, request, self._seconds, metadata)


def _search_target(targets: SearchTargets, experiment: Experiment) -> _Target:
    namespace = experiment.metadata.namespace
    return _Target("the suggestion service", targets.address, namespace)


def _stopping_target(targets: SearchTargets, experiment: Experiment) -> _Target:
    namespace = experiment.metadata.namespace
    return _Target("the early-stopping service", targets.stopping_address, namespace)


def _as_katib_sends(trial: Trial) -> bool:
    """Return whether Katib sends this trial: one that has an objective, or may get one."""
    conditions = trial.status.conditions
    if holds(conditions, ConditionType.METRICS_UNAVAILABLE):
        return False
    stopped = holds(conditions, ConditionType.EARLY_STOPPED)
    return not stopped or trial.status.observation is not None


def _is_final(targets: SearchTargets, trials: Sequence[Trial], given: int, wanted: int) -> bool:
    """Return whether fewer points than requested are the end of the search.

    | service | returned | meaning |
    |---|---|---|
    | ours | fewer | the end |
    | Katib's | more | an error: it violates the protocol |
    | Katib's | some | not the end: the rest is requested later |
    | Katib's | none, and a trial is active | not the end: it waits for that trial |
    | Katib's | none, and no trial is active | the end: nothing can change the reply any more |

    Raises:
        RemoteError: there is no usable reply now.
    """
    if not targets.follows_katib or given == wanted:
        return True
    if given > wanted:
        raise RemoteError(
            f"The response contains unexpected trials: the suggestion service at"
            f" {targets.address} returned {given} instead of {wanted}"
        )
    if given == 0 and any(not has_ended(trial) for trial in trials):
        raise RemoteError(
            f"the suggestion service at {targets.address} returned no trials while others"
            " are running; it will be called again when one has ended"
        )
    return given == 0


def _suggestion_stub(targets: SearchTargets) -> Any:  # noqa: ANN401 - the generated stubs have no types
    channel: Any = targets.suggestion
    return api_pb2_grpc.SuggestionStub(channel)


def _stopping_stub(targets: SearchTargets) -> Any:  # noqa: ANN401 - the same
    channel: Any = targets.early_stopping
    return api_pb2_grpc.EarlyStoppingStub(channel)


def _with_rules(trial: SuggestedTrial, rules: tuple[StopRule, ...]) -> SuggestedTrial:
    return replace(trial, stop_rules=rules)
