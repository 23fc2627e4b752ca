"""Katib's service `EarlyStopping`: decode, read observations, decide, encode.

The service keeps no state that matters between two calls. The average of a finished trial does not
change, so it is cached, and each trial's log is read only once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Protocol

from cachetools import LRUCache

from api.errors import SpecError, UserError
from api.faults import invalid, quoted, required
from api.types import ConditionType, Experiment, Trial, holds
from api.v1beta1 import api_pb2 as pb
from api.v1beta1 import api_pb2_grpc
from api.wire.experiments import early_stopping_from_wire, experiment_from_wire
from api.wire.trials import rule_to_wire, trial_from_wire
from serving.addresses import Address, parse_address
from serving.error_interceptor import Context
from serving.logs import get_logger
from stopping.median import NAME as MEDIAN_STOP
from stopping.registry import check_settings
from suggestion.algorithms.median_stop import MedianStop, median_stop_of
from suggestion.service.request_names import check_name, namespace_of

_log = get_logger(__name__)

_MOST_CACHED = 10_000
"""Averages of trials."""


class ObservationLogs(Protocol):
    """Reads observation logs."""

    async def values(
        self, manager: Address, namespace: str, trial: str, metric: str
    ) -> Sequence[str]:
        """Return the values of one metric of a trial, in the order of time.

        `namespace` is the trial's; empty if unknown.

        Raises:
            RemoteError: the DB manager refused.
        """


MarkStopped = Callable[[str, str], Awaitable[None]]
"""Writes into a trial's status that a stop rule has stopped the trial.

Takes the names of the namespace (empty if unknown) and of the trial."""


class EarlyStopping(api_pb2_grpc.EarlyStoppingServicer):
    """`api.v1.beta1.EarlyStopping`."""

    def __init__(self, logs: ObservationLogs, mark: MarkStopped) -> None:
        self._logs, self._mark = logs, mark
        self._averages: LRUCache[tuple[object, ...], float] = LRUCache(_MOST_CACHED)

    async def GetEarlyStoppingRules(  # noqa: N802 - the wire's name
        self, request: pb.GetEarlyStoppingRulesRequest, context: Context
    ) -> pb.GetEarlyStoppingRulesReply:
        """Return the rule that stops the next trials; none while too few trials have finished."""
        return await self._rules(request, namespace_of(context))

    async def ValidateEarlyStoppingSettings(  # noqa: N802 - the wire's name
        self, request: pb.ValidateEarlyStoppingSettingsRequest, context: Context
    ) -> pb.ValidateEarlyStoppingSettingsReply:
        """Refuse settings with faults; the error has all of them."""
        early_stopping = early_stopping_from_wire(request.early_stopping)
        check_settings(early_stopping)
        if early_stopping.name != MEDIAN_STOP and not namespace_of(context):
            # Only trialwatch's controller sends its namespace, and judges running trials.
            why = (
                "trialwatch's controller judges this rule while trials run, and Katib's does not;"
                f" write {MEDIAN_STOP}"
            )
            raise SpecError(
                (invalid("spec.earlyStopping.algorithmName", early_stopping.name, why),)
            )
        return pb.ValidateEarlyStoppingSettingsReply()

    async def SetTrialStatus(  # noqa: N802 - the wire's name
        self, request: pb.SetTrialStatusRequest, context: Context
    ) -> pb.SetTrialStatusReply:
        """Mark a trial as stopped early; return when its status is written."""
        if not request.trial_name:
            raise UserError("trial_name: missing; send the name of the trial that was stopped")
        namespace = namespace_of(context)
        await self._mark(namespace, check_name("trial_name", request.trial_name))
        _log.info("marked a trial as stopped early", trial=request.trial_name, namespace=namespace)
        return pb.SetTrialStatusReply()

    async def _rules(
        self, request: pb.GetEarlyStoppingRulesRequest, namespace: str
    ) -> pb.GetEarlyStoppingRulesReply:
        experiment = experiment_from_wire(request.experiment)
        objective, early_stopping = experiment.spec.objective, experiment.spec.early_stopping
        if objective is None or not objective.metric:
            why = "must be specified"
            raise SpecError((required("spec.objective.objectiveMetricName", why),))
        if early_stopping is None:
            raise SpecError((required("spec.earlyStopping", "must be specified"),))
        check_settings(early_stopping)
        if early_stopping.name != MEDIAN_STOP:
            return pb.GetEarlyStoppingRulesReply()  # the controller judges these rules
        stop = median_stop_of(early_stopping)
        manager = parse_address(request.db_manager_address)
        if manager is None:
            address = quoted(request.db_manager_address)
            raise UserError(f"db_manager_address: {address} is not an address; write HOST:PORT")
        succeeded = [
            trial
            for trial in map(trial_from_wire, request.trials)
            if holds(trial.status.conditions, ConditionType.SUCCEEDED)
        ]
        averages = [
            await self._average(stop, experiment, _with_namespace(trial, namespace), manager)
            for trial in succeeded
        ]
        known = [average for average in averages if average is not None]
        return pb.GetEarlyStoppingRulesReply(
            early_stopping_rules=map(rule_to_wire, stop.rules(objective, known))
        )

    async def _average(
        self, stop: MedianStop, experiment: Experiment, trial: Trial, manager: Address
    ) -> float | None:
        metric = experiment.spec.objective.metric if experiment.spec.objective else ""
        namespace, name = trial.metadata.namespace, trial.metadata.name
        # With the start time, because a new trial may have the name of a deleted one.
        key = (manager, namespace, name, trial.status.start_time, metric, stop.start_step)
        if key not in self._averages:
            average = stop.average(await self._logs.values(manager, namespace, name, metric))
            if average is None:
                _log.warning(
                    "a succeeded trial has no value of the metric",
                    trial=name,
                    namespace=namespace,
                    metric=metric,
                )
                return None
            self._averages[key] = average
        return self._averages[key]


def _with_namespace(trial: Trial, namespace: str) -> Trial:
    """Return a trial with its namespace, which Katib's messages do not have."""
    return replace(trial, metadata=replace(trial.metadata, namespace=namespace))
