"""Carries out the actions of the core through the ports."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from api.errors import RemoteError, Unavailable
from api.names import EXPERIMENT_LABEL
from api.types import Trial
from controller.driver.ask_suggestions import SuggestionRequester
from controller.driver.leftover_rows import LeftoverRows
from controller.driver.ports import Conflict, Events, Ports
from controller.reconcile.actions import (
    Action,
    AskSuggestions,
    CreateJob,
    CreateSuggestion,
    CreateTrial,
    DeleteJob,
    DeleteObservations,
    DeleteObservationsLater,
    DeleteTrial,
    EmitEvent,
    ReadLatest,
    ReadObservation,
    Release,
    RemoveService,
    ReportUnavailable,
    WakeAt,
    WriteStatus,
)
from controller.reconcile.event_reasons import EventReason
from controller.reconcile.running_trial import failed_to_start, trial_event
from controller.reconcile.trials import overdue
from controller.reconcile.views import Key, Policy, key_of

_ObjectChange = WriteStatus | CreateSuggestion | DeleteTrial | Release | RemoveService

RunCalls = Callable[[Iterable[Coroutine[Any, Any, None]]], Awaitable[None]]
"""Makes calls whose order does not matter; raises the first error of those that it made."""


async def sequentially(calls: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Make one call after the other; if one fails, skip the rest."""
    for call in calls:
        await call


class MetricsStoreError(RemoteError):
    """The metrics store failed; the core decides what follows."""


class ActionRunner:
    """Carries out lists of actions."""

    def __init__(
        self,
        ports: Ports,
        requester: SuggestionRequester,
        policy: Policy,
        run_calls: RunCalls,
        leftover_rows: LeftoverRows,
    ) -> None:
        """`run_calls` makes the calls that create trials which are due at the same time."""
        self._ports, self._requester, self._policy = ports, requester, policy
        self._run_calls, self._leftover_rows = run_calls, leftover_rows

    async def run(self, actions: Sequence[Action], now: datetime) -> bool:
        """Carry out actions in order; return whether a new view may need more actions.

        Consecutive actions that create trials are carried out by `run_calls`.

        Raises:
            NotBeforeError: a request to the search must wait.
            MetricsStoreError: the metrics store failed.
            RemoteError: another port failed; the rest of the actions was skipped.
        """
        changed = False
        for same in (list(same) for _, same in groupby(actions, type)):
            trials = [action.trial for action in same if isinstance(action, CreateTrial)]
            if trials:
                await self._run_calls(map(self._create_trial, trials))
                changed = True
                continue
            for action in same:
                changed = await self._run_one(action, now) or changed
        return changed

    async def _run_one(self, action: Action, now: datetime) -> bool:
        """Carry out one action; return whether a new view may need more actions."""
        match action:
            case WakeAt() | ReadObservation() | ReadLatest():
                return False  # the driver has read already
            case EmitEvent():
                self._ports.events.emit(action)
                return False
            case DeleteObservationsLater(trial=trial):
                await self._leftover_rows.add(trial)
                return False
            case DeleteJob(trial=trial):
                # The deletion may take time; its end causes another reconcile.
                await self._delete_job(trial, now)
                return False
            case AskSuggestions():
                await self._requester.ask(action, now)
            case CreateTrial(trial=trial):
                await self._create_trial(trial)
            case CreateJob(trial=trial):
                await self._create_job(action, trial, now)
            case DeleteObservations() | ReportUnavailable():
                await self._change_store(action)
            case _:
                await self._change_object(action)
        return True

    async def _change_object(self, action: _ObjectChange) -> None:
        objects = self._ports.objects
        match action:
            case WriteStatus(target=target):
                await objects.write_status(target)
            case CreateSuggestion(suggestion=suggestion):
                await objects.create(suggestion)
            case DeleteTrial(trial=trial):
                await objects.delete(trial)
            case Release(target=target):
                await objects.release(target)
            case RemoveService(suggestion=suggestion):
                await self._ports.services.remove(suggestion)

    async def _change_store(self, action: DeleteObservations | ReportUnavailable) -> None:
        store = self._ports.observations
        try:
            if isinstance(action, DeleteObservations):
                await store.delete(action.trial)
            else:
                await store.report_unavailable(action.trial)
        except RemoteError as error:
            raise MetricsStoreError(str(error)) from error

    async def _create_trial(self, trial: Trial) -> None:
        """Create a trial while its entry exists: without one it may have been created already."""
        experiment = trial.metadata.labels[EXPERIMENT_LABEL]
        key = Key(namespace=trial.metadata.namespace, name=experiment)
        suggestion = await self._ports.objects.suggestion(key)
        entries = suggestion.status.suggestions if suggestion else ()
        if all(entry.name != trial.metadata.name for entry in entries):
            raise Conflict(f"the suggestion has no entry for trial {key_of(trial)} any more")
        await self._ports.objects.create(trial)

    async def _create_job(self, action: CreateJob, trial: Trial, now: datetime) -> None:
        try:
            await self._ports.jobs.create(trial, action.document)
        except Unavailable:
            await self._write_first_status(trial)
            raise
        except Conflict:
            raise
        except RemoteError as error:
            await self.run(failed_to_start(trial, str(error), now), now)

    async def _write_first_status(self, trial: Trial) -> None:
        """Write the condition Created now; usually it is written together with Running."""
        stored = await self._ports.objects.trial(key_of(trial))
        if stored is not None and not stored.status.conditions:
            await self._ports.objects.write_status(trial)

    async def _delete_job(self, trial: Trial, now: datetime) -> None:
        try:
            await self._ports.jobs.delete(trial)
        except RemoteError as error:
            tolerate_job_error(trial, error, now, self._policy, self._ports.events)


def tolerate_job_error(
    trial: Trial, error: RemoteError, now: datetime, policy: Policy, events: Events
) -> None:
    """Ignore an error about the job of a deleted trial whose deletion grace is over.

    The cluster deletes what the trial owned.

    Raises:
        RemoteError: the trial is not deleted, or its grace is not over.
    """
    if not overdue(trial, now, policy):
        raise error
    message = f"the cluster's garbage collection will delete its job: {error}"
    events.emit(trial_event(trial, EventReason.JOB_NOT_DELETED, message))
