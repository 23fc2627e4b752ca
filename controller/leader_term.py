"""One time of leading: all that is there is looked at anew, and then brought forward.

Nothing is kept from one term to the next. The lists with which a term begins are made after the
Lease was got, so what the leader before wrote while it held the Lease is in them.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from api.installation.trial_kinds import TrialKinds
from api.types import ConditionType, Experiment, Trial, holds
from controller.concurrency import run_concurrently
from controller.driver.driver import Driver
from controller.driver.ports import Events, Observations, Ports, SearchServices, Suggestions
from controller.guarded_reconcile import guarded_reconcile
from controller.lifecycle_counters import LifecycleCounters
from controller.metrics import Metrics
from controller.on_kube.allowed_jobs import AllowedJobs
from controller.on_kube.job_watches import Start
from controller.on_kube.jobs import ClusterJobs
from controller.on_kube.objects import ChangeListeners, ClusterObjects
from controller.reconcile.actions import EmitEvent, EventType
from controller.reconcile.trial_states import has_ended, state_of
from controller.reconcile.views import Key, Policy, key_of
from controller.reconcile_workers import Reconcile, ReconcileWorkers, utc_now
from kube.cluster import Cluster, Kind
from kube.watch_cache import Pace

_AT_ONCE: Final = 200
"""Turns side by side, of each kind: most of a turn is waiting for an answer."""
_JOBS_SECONDS: Final = 10.0
"""How long the first turns wait for the jobs to be known; a job that is not is asked for."""
_LOOK_AGAIN: Final = timedelta(seconds=10)
"""How soon a job is looked at again whose kind cannot be watched."""
_STATES: Final = (
    ConditionType.FAILED,
    ConditionType.SUCCEEDED,
    ConditionType.RESTARTING,
    ConditionType.RUNNING,
)
"""An experiment is counted as the first of these that holds."""
_EVERYBODY_SECONDS: Final = 600.0
"""After which every object has a turn, whether or not anything has happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TermDependencies:
    """What a term works on, and how."""

    cluster: Cluster
    observations: Observations
    suggestions: Suggestions
    services: SearchServices
    events: Events
    metrics: Metrics
    policy: Policy
    namespace: str = ""
    """Empty: all."""
    kinds: tuple[Kind, ...] = ()
    """Kinds of jobs that are watched from the start."""
    trial_kinds: Callable[[], TrialKinds] = TrialKinds
    """Gives the kinds that trials may be at this moment."""
    pace: Pace | None = None
    now: Callable[[], datetime] = utc_now


class LeaderTerm:
    """The work of a leader."""

    def __init__(self, outside: TermDependencies, start: Start) -> None:
        """`start` runs the watches; whoever gives it ends them."""
        self._outside, self._start = outside, start
        self._going: set[Key] = set()
        self._tallies = {"experiment": LifecycleCounters(), "trial": LifecycleCounters()}
        changed = ChangeListeners(experiment=self._experiment_changed, trial=self._trial_changed)
        where, pace = outside.namespace, outside.pace
        self._objects = ClusterObjects(outside.cluster, changed, where, pace)
        self._jobs = ClusterJobs(outside.cluster, changed.trial, start, where, pace)
        ports = Ports(
            objects=self._objects,
            jobs=AllowedJobs(self._jobs, outside.trial_kinds, outside.cluster.resource_of),
            observations=outside.observations,
            suggestions=outside.suggestions,
            services=outside.services,
            events=outside.events,
        )
        dice = random.Random()  # noqa: S311 - names, no secrets
        self._driver = Driver(ports, dice, outside.policy, run_concurrently)

        def workers(kind: str, turn: Reconcile) -> ReconcileWorkers:
            made = ReconcileWorkers(
                guarded_reconcile(kind, turn, outside.metrics), at_once=_AT_ONCE, now=outside.now
            )
            outside.metrics.watch_queue(kind, made.depth)
            return made

        self._experiments = workers("experiment", self._driver.experiment)
        self._trials = workers("trial", self._trial)
        self._mirrors = (
            self._objects.experiments,
            self._objects.suggestions,
            self._objects.all_trials,
        )

    def missing(self) -> Iterator[str]:
        """Yield what keeps the work from going on."""
        for mirror in self._mirrors:
            cache = mirror.cache
            if not cache.is_synced:
                cause = f": {cache.trouble}" if cache.trouble else ""
                yield f"{cache.scope.kind} has not been listed yet{cause}"

    async def run(self) -> None:
        """Work until `end`; returns when all that was under way has ended."""
        for mirror in self._mirrors:
            self._start(mirror.cache.run())
        for mirror in self._mirrors:
            await mirror.cache.synced()
        for tally in self._tallies.values():
            tally.begin()
        for kind in self._outside.kinds:
            self._jobs.watch(kind)
        with suppress(TimeoutError):
            async with asyncio.timeout(_JOBS_SECONDS):
                await self._jobs.synced()
        self._start(self._everybody())
        async with asyncio.TaskGroup() as workers:
            workers.create_task(self._experiments.run())
            workers.create_task(self._trials.run())

    def end(self) -> None:
        """Begin nothing new."""
        self._experiments.end()
        self._trials.end()

    def experiments(self) -> Iterable[tuple[str, str]]:
        """Give namespace and state of each experiment."""
        for one in self._objects.experiments.cache:
            if one is not None:
                held = (kind for kind in _STATES if holds(one.status.conditions, kind))
                yield one.metadata.namespace, next(held, ConditionType.CREATED).value

    def trials(self) -> Iterable[tuple[str, str]]:
        """Give namespace and state of each trial."""
        for one in self._objects.all_trials.cache:
            if one is not None:
                yield one.metadata.namespace, state_of(one).value

    def _experiment_changed(self, key: Key) -> None:
        """Give it a turn; of one that is being deleted no answer is waited for."""
        experiment = self._objects.experiments.get(key)
        self._count("experiment", key, experiment)
        if experiment is None:
            self._going.discard(key)
            self._experiments.interrupt(key)
        elif not experiment.metadata.deletion_timestamp:
            self._going.discard(key)
            self._experiments.add(key)
        elif key in self._going:
            self._experiments.add(key)
        else:
            self._going.add(key)
            self._experiments.interrupt(key)

    def _trial_changed(self, key: Key) -> None:
        self._count("trial", key, self._objects.all_trials.get(key))
        self._trials.add(key)

    def _count(self, kind: str, key: Key, item: Experiment | Trial | None) -> None:
        for happened in self._tallies[kind].seen(key, item):
            self._outside.metrics.happened(kind, key.namespace, happened)

    async def _trial(self, key: Key, now: datetime) -> datetime | None:
        """Give a trial its turn; look again soon where nobody will tell of its job's changes."""
        wake = await self._driver.trial(key, now)
        trial = await self._objects.trial(key)
        if trial is None or (has_ended(trial) and not trial.metadata.deletion_timestamp):
            return wake
        trouble = self._jobs.trouble(trial)
        if not trouble:
            return wake
        message = f"its job cannot be watched, and is looked at every few seconds: {trouble}"
        told = EmitEvent(
            about=trial, reason="JobNotWatched", message=message, type=EventType.WARNING
        )
        self._outside.events.emit(told)
        again = now + _LOOK_AGAIN
        return min(again, wake) if wake is not None else again

    async def _everybody(self) -> None:
        """Give everybody a turn now and then: whatever was missed is put right then."""
        while True:
            await asyncio.sleep(_EVERYBODY_SECONDS)
            spread = random.Random()  # noqa: S311 - not all at once, that is all
            for experiment in self._objects.experiments.cache:
                if experiment is not None:
                    self._experiments.add(key_of(experiment), spread.uniform(0, 60))
            for trial in self._objects.all_trials.cache:
                if trial is not None:
                    self._trials.add(key_of(trial), spread.uniform(0, 60))
