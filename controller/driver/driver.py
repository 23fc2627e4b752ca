"""The driver: makes a view, asks the core for actions, carries them out, until none is left.

It keeps no state that matters: the ports have all of it. Any number of reconciles may be lost, and
a reconcile may end between any two actions. The caller gives the time and the random numbers. It
must not reconcile one object twice at the same time; different objects may run concurrently.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from api.errors import RemoteError, Unavailable, UserError
from api.types import Experiment, Suggestion, Trial
from controller.driver.action_runner import (
    ActionRunner,
    MetricsStoreError,
    RunCalls,
    sequentially,
    tolerate_job_error,
)
from controller.driver.ask_suggestions import NotBeforeError, SuggestionRequester
from controller.driver.leftover_rows import LeftoverRows
from controller.driver.ports import Conflict, Ports
from controller.driver.retries import SOON, Retries, first_wake
from controller.reconcile.actions import Action, ReadLatest, ReadObservation
from controller.reconcile.experiments import reconcile_experiment
from controller.reconcile.latest_values import LatestValueReads
from controller.reconcile.trial_facts import TrialFactsCache, belongs_to, owner_uids
from controller.reconcile.trial_states import has_ended
from controller.reconcile.trial_transitions import mark_early_stopped
from controller.reconcile.trials import reconcile_trial
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

_MAX_ROUNDS = 12
"""Rounds of one reconcile. No object needs more; one that does is reconciled again soon."""
_MAX_WRITES = 5
"""Attempts to write a status against concurrent writers."""


class Driver:
    """Reconciles experiments and trials, one object at each call."""

    def __init__(
        self,
        ports: Ports,
        rng: random.Random,
        policy: Policy | None = None,
        run_calls: RunCalls = sequentially,
    ) -> None:
        """`run_calls` makes the calls that create trials which are due at the same time."""
        self._ports, self._policy = ports, policy or Policy()
        self._requester = SuggestionRequester(ports, rng)
        self._leftover_rows = LeftoverRows(ports.observations, ports.leftovers)
        self._runner = ActionRunner(
            ports, self._requester, self._policy, run_calls, self._leftover_rows
        )
        self._retries = Retries(ports.events)
        self._latest = LatestValueReads()
        self._facts: dict[Key, TrialFactsCache] = defaultdict(TrialFactsCache)

    async def restore(self) -> list[Key]:
        """Take over the metrics that must still be deleted; return the trials to reconcile.

        Raises:
            RemoteError: the record of an earlier leader cannot be read now.
        """
        return await self._leftover_rows.restore()

    async def experiment(self, key: Key, now: datetime) -> datetime | None:
        """Do what is due for an experiment; return when to reconcile it again at the latest.

        The caller reconciles its trials too: `objects.trials` lists them.
        """
        for _ in range(_MAX_ROUNDS):
            view = None
            try:
                view = await self._experiment_view(key)
                if view is None:
                    self._requester.forget(key)
                actions = self._experiment_actions(view, now) if view else ()
                if not await self._runner.run(actions, now):
                    self._retries.reset(("experiment", key))
                    return first_wake(actions)
            except NotBeforeError as error:
                return error.moment
            except RemoteError as error:
                about = view.experiment if view else None
                return self._retries.retry_at(("experiment", key), about, error, now)
        return now + SOON

    async def trial(self, key: Key, now: datetime) -> datetime | None:
        """Do what is due for a trial; return when to reconcile it again at the latest.

        Call this also when its job or its pods have changed.
        """
        observed: StoredMetrics | StoreUnavailable | None = None
        latest: StoredMetrics | StoreUnavailable | None = None
        last_read = self._latest.last_read(key, now)
        for _ in range(_MAX_ROUNDS):
            trial = None
            try:
                trial = await self._ports.objects.trial(key)
                if trial is None or has_ended(trial):
                    self._latest.forget(key)
                if trial is None:
                    self._retries.reset(("trial", key))
                    return await self._leftover_rows.deleted(key, now)
                self._leftover_rows.exists(trial)
                job = await self._job_facts(trial, now)
                view = TrialView(
                    trial=trial,
                    job=job,
                    observed=observed,
                    latest_read_at=last_read,
                    latest=latest,
                )
                actions = reconcile_trial(view, now, self._policy)
                if _is_single(ReadObservation, actions):
                    observed = await self._read(trial)
                elif _is_single(ReadLatest, actions):
                    query, every = self._ports.observations.latest, self._policy.live_interval
                    latest = await self._latest.read(trial, now, query, every)
                elif not await self._runner.run(actions, now):
                    self._retries.reset(("trial", key))
                    return first_wake(actions)
            except MetricsStoreError as error:
                observed = StoreUnavailable(cause=str(error))
            except RemoteError as error:
                return self._retries.retry_at(("trial", key), trial, error, now)
        return now + SOON

    async def settle(self, key: Key, now: datetime) -> datetime | None:
        """Reconcile the experiment and all of its trials until nothing is due.

        Returns the first time at which one of them is due again. With many experiments, reconcile
        each object by itself, when it has changed.
        """
        before: object = None
        while True:
            wakes = [await self.experiment(key, now)]
            trials = await self._ports.objects.trials(key)
            wakes += [await self.trial(key_of(trial), now) for trial in trials]
            after = await self._versions(key)
            if after == before:
                return min((wake for wake in wakes if wake), default=None)
            before = after

    async def stop_early(self, key: Key, now: datetime, why: str = "") -> None:
        """Mark a trial as stopped early, because a stop rule holds: the call `SetTrialStatus`.

        With `why`, the controller has judged the trial, and ends its job.

        Raises:
            UserError: no such trial exists.
            Unavailable: the mark could not be stored.
        """
        for _ in range(_MAX_WRITES):
            trial = await self._ports.objects.trial(key)
            if trial is None:
                raise UserError(f"trial {key} does not exist; send the name of one that runs")
            after = mark_early_stopped(trial, now, why)
            if after is trial:
                return
            try:
                await self._ports.objects.write_status(after)
            except Conflict:
                continue
            return
        raise Unavailable(f"other writers changed trial {key} at each of {_MAX_WRITES} attempts")

    # -- views ------------------------------------------------------------------------------

    async def _experiment_view(self, key: Key) -> ExperimentView | None:
        objects = self._ports.objects
        experiment = await objects.experiment(key)
        if experiment is None:
            self._facts.pop(key, None)
            self._ports.judge.forget(key)
            return None
        trials = tuple(await objects.trials(key))
        if experiment.spec.early_stopping is not None:
            # Others of this name are left over from a deleted experiment, perhaps of another task.
            own = [one for one in trials if belongs_to(owner_uids(one), experiment)]
            self._ports.judge.saw(experiment, own)
        template = experiment.spec.trial_template
        source = template.config_map if template else None
        return ExperimentView(
            experiment=experiment,
            suggestion=await objects.suggestion(key),
            trials=trials,
            template_text=await objects.template(source) if source else None,
        )

    def _experiment_actions(self, view: ExperimentView, now: datetime) -> Sequence[Action]:
        facts_of = self._facts[key_of(view.experiment)]
        return reconcile_experiment(view, now, self._policy, facts_of)

    async def _versions(self, key: Key) -> object:
        """Return the versions of all objects of an experiment."""
        objects = self._ports.objects
        items: Sequence[Experiment | Suggestion | Trial | None] = (
            await objects.experiment(key),
            await objects.suggestion(key),
            *await objects.trials(key),
        )
        return [(item.metadata.name, item.metadata.resource_version) for item in items if item]

    async def _job_facts(self, trial: Trial, now: datetime) -> JobFacts:
        try:
            return await self._ports.jobs.look(trial)
        except RemoteError as error:
            tolerate_job_error(trial, error, now, self._policy, self._ports.events)
            return JobFacts()

    async def _read(self, trial: Trial) -> StoredMetrics | StoreUnavailable:
        try:
            return StoredMetrics(metrics=tuple(await self._ports.observations.summary(trial)))
        except RemoteError as error:
            return StoreUnavailable(cause=str(error))


def _is_single(kind: type[ReadObservation | ReadLatest], actions: Sequence[Action]) -> bool:
    return len(actions) == 1 and isinstance(actions[0], kind)
