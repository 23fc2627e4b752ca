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
    """Where an experiment's search is asked."""

    suggestion: grpc.aio.Channel
    early_stopping: grpc.aio.Channel | None = None
    db_manager: str = ""
    """The DB manager's address, as the early-stopping service reaches it."""
    address: str = ""
    """Where the suggestion service is, for whoever reads of it."""
    stopping_address: str = ""
    """Where the early-stopping service is."""
    katibs: bool = False
    """It keeps to Katib's manners: a history as Katib sends it, and as many points as were asked
    for."""


@dataclass(frozen=True, slots=True)
class _Whom:
    """A service, and for whom it is asked."""

    name: str
    address: str
    namespace: str

    def __str__(self) -> str:
        return f"{self.name} at {self.address}" if self.address else self.name


class RemoteSuggestions:
    """A suggestion service for each experiment, or one for all."""

    def __init__(
        self,
        services: Callable[[Experiment], SearchTargets],
        seconds: float = 300.0,
        patience: float = 10.0,
        histories: HistoryCache | None = None,
    ) -> None:
        """`services` says where to ask, `seconds` is the longest that one answer may take.

        For `patience` seconds a service that is away is waited for: it may just be restarting.
        """
        self._services, self._seconds, self._patience = services, seconds, patience
        self._histories = histories or HistoryCache()

    async def ask(
        self, experiment: Experiment, trials: Sequence[Trial], asked: int, count: int
    ) -> SuggestionReply:
        """Choose the next trials; settings are validated before the first question."""
        services = self._services(experiment)
        for channel in (services.suggestion, services.early_stopping):
            if channel is not None:
                await wait_until_connected(channel, self._patience)
        if asked == 0:
            await self._validate(services, experiment)
        known = tuple(filter(_as_katib_sends, trials)) if services.katibs else trials
        # The rules first: a service that remembers what it has suggested is asked last.
        rules = await self._rules(services, experiment, known)
        request = pb.GetSuggestionsRequest(
            experiment=experiment_to_wire(experiment),
            current_request_number=count,
            total_request_number=asked + count,
        )
        method = services.suggestion.unary_unary(
            _SUGGESTIONS,
            request_serializer=bytes,
            response_deserializer=pb.GetSuggestionsReply.FromString,
        )
        encoded = self._histories.with_trials(request, known)
        reply = await self._call(_search(services, experiment), method, encoded)
        suggested = tuple(map(suggested_from_wire, reply.parameter_assignments))
        final = _is_final(services, trials, len(suggested), count)
        return SuggestionReply(
            trials=tuple(_with_rules(trial, rules) for trial in suggested),
            settings=tuple(
                Setting(name=one.name, value=one.value)
                for one in reply.algorithm.algorithm_settings
            ),
            final=final,
        )

    async def _validate(self, services: SearchTargets, experiment: Experiment) -> None:
        """Refuse what the services refuse; one that has no such call takes everything."""
        request = pb.ValidateAlgorithmSettingsRequest(experiment=experiment_to_wire(experiment))
        method = _suggestion(services).ValidateAlgorithmSettings
        whom = _search(services, experiment)
        await self._validated(whom, "ValidateAlgorithmSettings", method, request)
        spec = experiment.spec.early_stopping
        if spec is not None and services.early_stopping is not None:
            settings = pb.ValidateEarlyStoppingSettingsRequest(
                early_stopping=early_stopping_to_wire(spec)
            )
            method = _stopping(services).ValidateEarlyStoppingSettings
            whom = _stopper(services, experiment)
            await self._validated(whom, "ValidateEarlyStoppingSettings", method, settings)

    async def _validated(
        self,
        whom: _Whom,
        what: str,
        method: Callable[..., Awaitable[object]],
        request: object,
    ) -> None:
        try:
            await self._call(whom, method, request)
        except UnimplementedCallError:
            return
        except (UnknownStatusError, UserError) as error:
            # A service of Katib's that stumbles over settings means that they are wrong. The words
            # in front are Katib's, too.
            words = error.words if isinstance(error, UnknownStatusError) else str(error)
            raise UserError(f"{what} Error: {words}") from None

    async def _rules(
        self, services: SearchTargets, experiment: Experiment, trials: Sequence[Trial]
    ) -> tuple[StopRule, ...]:
        if experiment.spec.early_stopping is None or services.early_stopping is None:
            return ()
        request = pb.GetEarlyStoppingRulesRequest(
            experiment=experiment_to_wire(experiment), db_manager_address=services.db_manager
        )
        method = services.early_stopping.unary_unary(
            _RULES,
            request_serializer=bytes,
            response_deserializer=pb.GetEarlyStoppingRulesReply.FromString,
        )
        encoded = self._histories.with_trials(request, trials)
        reply = await self._call(_stopper(services, experiment), method, encoded)
        return tuple(map(rule_from_wire, reply.early_stopping_rules))

    async def _call(
        self, whom: _Whom, method: Callable[..., Awaitable[Any]], request: object
    ) -> Any:  # noqa: ANN401 - generated
        metadata = ((NAMESPACE_METADATA, whom.namespace),)
        return await call_service(str(whom), method, request, self._seconds, metadata)


def _search(services: SearchTargets, experiment: Experiment) -> _Whom:
    namespace = experiment.metadata.namespace
    return _Whom("the suggestion service", services.address, namespace)


def _stopper(services: SearchTargets, experiment: Experiment) -> _Whom:
    namespace = experiment.metadata.namespace
    return _Whom("the early-stopping service", services.stopping_address, namespace)


def _as_katib_sends(trial: Trial) -> bool:
    """Say whether Katib shows its services this trial: one that has, or may get, an objective."""
    conditions = trial.status.conditions
    if holds(conditions, ConditionType.METRICS_UNAVAILABLE):
        return False
    stopped = holds(conditions, ConditionType.EARLY_STOPPED)
    return not stopped or trial.status.observation is not None


def _is_final(services: SearchTargets, trials: Sequence[Trial], given: int, wanted: int) -> bool:
    """Say whether fewer points than were wanted are the end of the search.

    | whose service | it gave | meaning |
    |---|---|---|
    | ours | fewer | the end |
    | Katib's | more | it does not keep to the protocol |
    | Katib's | some | no end: it is asked for the rest |
    | Katib's | none, and a trial is active | it waits for that one: it is asked again |
    | Katib's | none, and no trial is active | the end: nothing can change its mind any more |

    Raises:
        RemoteError: there is no answer now.
    """
    if not services.katibs or given == wanted:
        return True
    if given > wanted:
        raise RemoteError(
            f"The response contains unexpected trials: the suggestion service at"
            f" {services.address} gave {given} where {wanted} were asked for"
        )
    if given == 0 and any(not has_ended(trial) for trial in trials):
        raise RemoteError(
            f"the suggestion service at {services.address} gave nothing while trials are"
            " running; it is asked again when one has ended"
        )
    return given == 0


def _suggestion(services: SearchTargets) -> Any:  # noqa: ANN401 - the generated stubs have no types
    channel: Any = services.suggestion
    return api_pb2_grpc.SuggestionStub(channel)


def _stopping(services: SearchTargets) -> Any:  # noqa: ANN401 - the same
    channel: Any = services.early_stopping
    return api_pb2_grpc.EarlyStoppingStub(channel)


def _with_rules(trial: SuggestedTrial, rules: tuple[StopRule, ...]) -> SuggestedTrial:
    return replace(trial, stop_rules=rules)
