"""The driver: makes a view, asks the core, does what it says, until nothing is due.

It keeps no state that matters: what it knows, the ports know. Any number of turns may be lost,
and a turn may end between any two actions. `now` is the caller's; so are the dice. Turns of one
object must not overlap; turns of different ones may.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from api.errors import RemoteError, Unavailable, UserError
from api.names import EXPERIMENT_LABEL
from api.types import Experiment, Suggestion, Trial
from controller.driver.ask_suggestions import BACKOFF, NotBeforeError, SuggestionRequester
from controller.driver.ports import Conflict, Ports
from controller.reconcile.actions import (
    Action,
    AskSuggestions,
    CreateJob,
    CreateSuggestion,
    CreateTrial,
    DeleteJob,
    DeleteObservations,
    DeleteTrial,
    EmitEvent,
    EventType,
    ReadLatest,
    ReadObservation,
    Release,
    RemoveService,
    ReportUnavailable,
    WakeAt,
    WriteStatus,
)
from controller.reconcile.experiments import reconcile_experiment
from controller.reconcile.latest_values import LatestValueReads
from controller.reconcile.running_trial import failed_to_start, warning_event
from controller.reconcile.trial_facts import TrialFactsCache
from controller.reconcile.trial_states import has_ended, mark_early_stopped
from controller.reconcile.trials import overdue, reconcile_trial
from controller.reconcile.views import (
    ExperimentView,
    JobFacts,
    Key,
    Policy,
    StoredMetrics,
    StoreUnavailable,
    TrialView,
    key_of,
)

_ROUNDS = 12
"""No object needs more in one turn; one that does is looked at again soon."""
_SOON = timedelta(milliseconds=50)
_TRIES = 5

_Change = WriteStatus | CreateSuggestion | DeleteTrial | Release | RemoveService
Seen = StoredMetrics | StoreUnavailable | None


RunCalls = Callable[[Iterable[Coroutine[Any, Any, None]]], Awaitable[None]]
"""Makes calls whose order means nothing; raises what the first of those raised that failed."""


async def sequentially(calls: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Make one call after the other; where one fails the rest is left."""
    for call in calls:
        await call


class Driver:
    """Brings experiments and trials forward, one turn at a time."""

    def __init__(
        self,
        ports: Ports,
        dice: random.Random,
        policy: Policy | None = None,
        together: RunCalls = sequentially,
    ) -> None:
        """`together` creates the trials that are due at the same time."""
        self._ports, self._dice, self._policy = ports, dice, policy or Policy()
        self._together = together
        self._failures: dict[tuple[str, Key], int] = {}
        self._latest = LatestValueReads()
        self._asking = SuggestionRequester(ports, dice)
        self._members: dict[Key, TrialFactsCache] = defaultdict(TrialFactsCache)

    async def experiment(self, key: Key, now: datetime) -> datetime | None:
        """Do what is due for an experiment; return when to come again without being called.

        Its trials have turns of their own, which the caller gives: `objects.trials` has them.
        """
        for _ in range(_ROUNDS):
            view = None
            try:
                view = await self._experiment_view(key)
                if view is None:
                    self._asking.forget(key)
                actions = self._experiment_actions(view, now) if view else ()
                if not await self._do(actions, now):
                    return self._rest("experiment", key, actions)
            except NotBeforeError as later:
                return later.moment
            except RemoteError as error:
                about = view.experiment if view else None
                return self._again(("experiment", key), about, error, now)
        return now + _SOON

    async def trial(self, key: Key, now: datetime) -> datetime | None:
        """Do what is due for a trial; return when to come again without being called.

        Call it too when its job or its pods have changed.
        """
        observed: Seen = None
        latest: Seen = None
        last_read = self._latest.last_read(key, now)
        for _ in range(_ROUNDS):
            trial = None
            try:
                trial = await self._ports.objects.trial(key)
                if trial is None or has_ended(trial):
                    self._latest.forget(key)
                if trial is None:
                    return self._rest("trial", key, ())
                job = await self._look(trial, now)
                view = TrialView(
                    trial=trial, job=job, observed=observed, latest_read_at=last_read, latest=latest
                )
                actions = reconcile_trial(view, now, self._policy)
                if _is(ReadObservation, actions):
                    observed = await self._read(trial)
                elif _is(ReadLatest, actions):
                    ask, every = self._ports.observations.latest, self._policy.live_interval
                    latest = await self._latest.read(trial, now, ask, every)
                elif not await self._do(actions, now):
                    return self._rest("trial", key, actions)
            except _StoreAwayError as error:
                observed = StoreUnavailable(cause=str(error))
            except RemoteError as error:
                return self._again(("trial", key), trial, error, now)
        return now + _SOON

    async def settle(self, key: Key, now: datetime) -> datetime | None:
        """Give the experiment and all of its trials their turns until nothing is due.

        Returns the first moment at which one of them is to be looked at again. For many
        experiments at once give each object its own turns, when it has changed.
        """
        before: object = None
        while True:
            wakes = [await self.experiment(key, now)]
            trials = await self._ports.objects.trials(key)
            wakes += [await self.trial(key_of(trial), now) for trial in trials]
            after = await self._picture(key)
            if after == before:
                return min((wake for wake in wakes if wake), default=None)
            before = after

    async def stop_early(self, key: Key, now: datetime) -> None:
        """Mark a trial as stopped early, for a stop rule was met: what `SetTrialStatus` asks.

        Raises:
            UserError: there is no such trial.
            Unavailable: it could not be written down.
        """
        for _ in range(_TRIES):
            trial = await self._ports.objects.trial(key)
            if trial is None:
                raise UserError(f"there is no trial {key}; send the name of one that runs")
            after = mark_early_stopped(trial, now)
            if after is trial:
                return
            try:
                await self._ports.objects.write_status(after)
            except Conflict:
                continue
            return
        raise Unavailable(f"trial {key} was changed by others all the time")

    # -- views ------------------------------------------------------------------------------

    async def _experiment_view(self, key: Key) -> ExperimentView | None:
        objects = self._ports.objects
        experiment = await objects.experiment(key)
        if experiment is None:
            self._members.pop(key, None)
            return None
        template = experiment.spec.trial_template
        source = template.config_map if template else None
        return ExperimentView(
            experiment=experiment,
            suggestion=await objects.suggestion(key),
            trials=tuple(await objects.trials(key)),
            template_text=await objects.template(source) if source else None,
        )

    async def _picture(self, key: Key) -> object:
        """Return what tells whether anything has changed."""
        objects = self._ports.objects
        items: Sequence[Experiment | Suggestion | Trial | None] = (
            await objects.experiment(key),
            await objects.suggestion(key),
            *await objects.trials(key),
        )
        return [(item.metadata.name, item.metadata.resource_version) for item in items if item]

    async def _look(self, trial: Trial, now: datetime) -> JobFacts:
        try:
            return await self._ports.jobs.look(trial)
        except RemoteError as error:
            self._leave_job(trial, error, now)
            return JobFacts()

    async def _read(self, trial: Trial) -> StoredMetrics | StoreUnavailable:
        try:
            return StoredMetrics(metrics=tuple(await self._ports.observations.summary(trial)))
        except RemoteError as error:
            return StoreUnavailable(cause=str(error))

    def _experiment_actions(self, view: ExperimentView, now: datetime) -> Sequence[Action]:
        known = self._members[key_of(view.experiment)]
        return reconcile_experiment(view, now, self._policy, known)

    # -- actions ----------------------------------------------------------------------------

    async def _do(self, actions: Sequence[Action], now: datetime) -> bool:
        """Do them in order, but trials together; return whether to look again after one."""
        changed = False
        for same in (list(same) for _, same in groupby(actions, type)):
            trials = [action.trial for action in same if isinstance(action, CreateTrial)]
            if trials:
                await self._together(map(self._create_trial, trials))
                changed = True
                continue
            for action in same:
                changed = await self._did(action, now) or changed
        return changed

    async def _did(self, action: Action, now: datetime) -> bool:
        """Do one; return whether to look again."""
        match action:
            case WakeAt() | ReadObservation() | ReadLatest():
                return False  # who reads has read already
            case EmitEvent():
                self._ports.events.emit(action)
                return False
            case DeleteJob(trial=trial):
                # It may take its time, and what comes of it is a reason for another turn.
                await self._delete_job(trial, now)
                return False
            case AskSuggestions():
                await self._asking.ask(action, now)
            case CreateTrial(trial=trial):
                await self._create_trial(trial)
            case CreateJob(trial=trial):
                await self._create_job(action, trial, now)
            case DeleteObservations() | ReportUnavailable():
                await self._change_store(action)
            case _:
                await self._change(action)
        return True

    async def _change(self, action: _Change) -> None:
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
            raise _StoreAwayError(str(error)) from error

    async def _create_trial(self, trial: Trial) -> None:
        """Create it while it is still written down: later it may have been made, and deleted."""
        owner = trial.metadata.labels[EXPERIMENT_LABEL]
        key = Key(namespace=trial.metadata.namespace, name=owner)
        suggestion = await self._ports.objects.suggestion(key)
        entries = suggestion.status.suggestions if suggestion else ()
        if all(entry.name != trial.metadata.name for entry in entries):
            raise Conflict(f"trial {key_of(trial)} is no longer to be created")
        await self._ports.objects.create(trial)

    async def _create_job(self, action: CreateJob, trial: Trial, now: datetime) -> None:
        try:
            await self._ports.jobs.create(trial, action.document)
        except Unavailable:
            await self._begin(trial)
            raise
        except Conflict:
            raise
        except RemoteError as error:
            await self._do(failed_to_start(trial, str(error), now), now)

    async def _begin(self, trial: Trial) -> None:
        """Write the first status, which comes with the job where that need not wait."""
        known = await self._ports.objects.trial(key_of(trial))
        if known is not None and not known.status.conditions:
            await self._ports.objects.write_status(trial)

    async def _delete_job(self, trial: Trial, now: datetime) -> None:
        try:
            await self._ports.jobs.delete(trial)
        except RemoteError as error:
            self._leave_job(trial, error, now)

    def _leave_job(self, trial: Trial, error: RemoteError, now: datetime) -> None:
        """Let a deleted trial go that has waited long enough; a cluster deletes what it owned.

        Raises:
            RemoteError: it has not.
        """
        if not overdue(trial, now, self._policy):
            raise error
        why = f"its job is left to the cluster's garbage collection: {error}"
        self._ports.events.emit(warning_event(trial, "JobNotDeleted", why))

    # -- when to come again -----------------------------------------------------------------

    def _rest(self, kind: str, key: Key, actions: Sequence[Action]) -> datetime | None:
        self._failures.pop((kind, key), None)
        return min((a.moment for a in actions if isinstance(a, WakeAt)), default=None)

    def _again(
        self,
        what: tuple[str, Key],
        about: Experiment | Trial | None,
        error: RemoteError,
        now: datetime,
    ) -> datetime:
        """Come again, later each time; say why, but for a conflict, which is nobody's fault."""
        if isinstance(error, Conflict):
            return now + _SOON
        failures = self._failures[what] = self._failures.get(what, 0) + 1
        if about is not None:
            self._ports.events.emit(
                EmitEvent(
                    about=about,
                    reason="ReconcileError",
                    message=f"Failed to reconcile: {error}",
                    type=EventType.WARNING,
                )
            )
        return now + timedelta(seconds=BACKOFF.wait(failures))


class _StoreAwayError(RemoteError):
    """The store of metrics failed; the core has to know."""


def _is(kind: type[ReadObservation | ReadLatest], actions: Sequence[Action]) -> bool:
    return len(actions) == 1 and isinstance(actions[0], kind)
