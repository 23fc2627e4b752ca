"""One leadership term: list all objects, then reconcile them.

No state survives a term. The lists at its beginning are made after the Lease was acquired, so they
contain all writes of the previous leader.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from api.errors import RemoteError
from api.installation.trial_kinds import TrialKinds
from api.types import ConditionType, Experiment, Trial, holds
from controller.concurrency import run_concurrently
from controller.driver.driver import Driver
from controller.driver.ports import (
    Events,
    LeftoverRecord,
    NoJudge,
    NoLeftoverRecord,
    Observations,
    Ports,
    SearchServices,
    Suggestions,
    TrialPoints,
)
from controller.guarded_reconcile import guarded_reconcile
from controller.lifecycle_counters import LifecycleCounters
from controller.live_judge import LiveJudge
from controller.metrics import Metrics
from controller.on_kube.allowed_jobs import AllowedJobs
from controller.on_kube.job_watches import Start
from controller.on_kube.jobs import ClusterJobs
from controller.on_kube.objects import ChangeListeners, ClusterObjects
from controller.reconcile.actions import EmitEvent
from controller.reconcile.event_reasons import EventReason
from controller.reconcile.trial_states import has_ended, state_of
from controller.reconcile.views import Key, Policy, key_of
from controller.reconcile_workers import Reconcile, ReconcileWorkers, utc_now
from kube.cluster import Cluster, Kind
from kube.watch_cache import Pace
from serving.logs import get_logger

_log = get_logger(__name__)
_AT_ONCE: Final = 200
"""Concurrent reconciles of each kind: most of the time a reconcile waits for an answer."""
_JOBS_SECONDS: Final = 10.0
"""How long the first reconciles wait for the list of jobs; after that each job is read."""
_JOB_CHECK: Final = timedelta(seconds=10)
"""How soon to check a job again whose kind cannot be watched."""
_STATES: Final = (
    ConditionType.FAILED,
    ConditionType.SUCCEEDED,
    ConditionType.RESTARTING,
    ConditionType.RUNNING,
)
"""An experiment is counted under the first of these conditions that holds."""
_RECONCILE_ALL_SECONDS: Final = 600.0
"""How often each object is reconciled even if nothing has happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TermDependencies:
    """What a term works with."""

    cluster: Cluster
    observations: Observations
    suggestions: Suggestions
    services: SearchServices
    events: Events
    metrics: Metrics
    policy: Policy
    namespace: str = ""
    """"": all namespaces."""
    kinds: tuple[Kind, ...] = ()
    """Kinds of jobs that are watched from the start."""
    trial_kinds: Callable[[], TrialKinds] = TrialKinds
    """Returns the kinds that trials may have now."""
    pace: Pace | None = None
    points: TrialPoints | None = None
    """The values of running trials; None: no rule is judged here."""
    judges: Callable[[Experiment], bool] = lambda _: True
    """Returns whether an experiment's rule is judged here, not by another service."""
    leftovers: LeftoverRecord = field(default_factory=NoLeftoverRecord)
    """Keeps over terms which metrics must still be deleted."""
    now: Callable[[], datetime] = utc_now


class LeaderTerm:
    """The work of a leader."""

    def __init__(self, dependencies: TermDependencies, start: Start) -> None:
        """`start` runs watches in the background; its owner ends them."""
        self._dependencies, self._start = dependencies, start
        self._deleting: set[Key] = set()
        self._lifecycle = {"experiment": LifecycleCounters(), "trial": LifecycleCounters()}
        changed = ChangeListeners(experiment=self._experiment_changed, trial=self._trial_changed)
        where, pace = dependencies.namespace, dependencies.pace
        self._objects = ClusterObjects(dependencies.cluster, changed, where, pace)
        self._jobs = ClusterJobs(dependencies.cluster, changed.trial, start, where, pace)
        self._judge = self._made_judge()
        ports = Ports(
            objects=self._objects,
            jobs=AllowedJobs(
                self._jobs, dependencies.trial_kinds, dependencies.cluster.resource_of
            ),
            observations=dependencies.observations,
            suggestions=dependencies.suggestions,
            services=dependencies.services,
            events=dependencies.events,
            judge=self._judge or NoJudge(),
            leftovers=dependencies.leftovers,
        )
        rng = random.Random()  # noqa: S311 - names, no secrets
        self._driver = Driver(ports, rng, dependencies.policy, run_concurrently)

        def workers(kind: str, reconcile: Reconcile) -> ReconcileWorkers:
            made = ReconcileWorkers(
                guarded_reconcile(kind, reconcile, dependencies.metrics),
                at_once=_AT_ONCE,
                now=dependencies.now,
            )
            dependencies.metrics.watch_queue(kind, made.depth)
            return made

        self._experiments = workers("experiment", self._driver.experiment)
        self._trials = workers("trial", self._trial)
        self._caches = (
            self._objects.experiments,
            self._objects.suggestions,
            self._objects.all_trials,
        )

    def unready_reasons(self) -> Iterator[str]:
        """Yield which objects have not been listed yet, and why."""
        for cache in self._caches:
            watch = cache.cache
            if not watch.is_synced:
                cause = f": {watch.trouble}" if watch.trouble else ""
                yield f"{watch.scope.kind} has not been listed yet{cause}"

    async def run(self) -> None:
        """Work until `end` is called; return when the running reconciles have ended."""
        for cache in self._caches:
            self._start(cache.cache.run())
        for cache in self._caches:
            await cache.cache.synced()
        for counters in self._lifecycle.values():
            counters.begin()
        for kind in self._dependencies.kinds:
            self._jobs.watch(kind)
        with suppress(TimeoutError):
            async with asyncio.timeout(_JOBS_SECONDS):
                await self._jobs.synced()
        self._start(self._reconcile_all())
        if self._judge is not None:
            self._start(self._judge.run())
        async with asyncio.TaskGroup() as workers:
            workers.create_task(self._experiments.run())
            workers.create_task(self._trials.run())

    def end(self) -> None:
        """Start no more reconciles."""
        self._experiments.end()
        self._trials.end()

    def experiments(self) -> Iterable[tuple[str, str]]:
        """Yield namespace and state of each experiment."""
        for item in self._objects.experiments.cache:
            if item is not None:
                held = (kind for kind in _STATES if holds(item.status.conditions, kind))
                yield item.metadata.namespace, next(held, ConditionType.CREATED).value

    def trials(self) -> Iterable[tuple[str, str]]:
        """Yield namespace and state of each trial."""
        for item in self._objects.all_trials.cache:
            if item is not None:
                yield item.metadata.namespace, state_of(item).value

    def _made_judge(self) -> LiveJudge | None:
        points, now = self._dependencies.points, self._dependencies.now
        if points is None:
            return None

        async def stop(key: Key, why: str) -> None:
            await self._driver.stop_early(key, now(), why)

        return LiveJudge(points, stop, self._dependencies.judges)

    def _experiment_changed(self, key: Key) -> None:
        """Reconcile an experiment; if it is being deleted, cancel its open request."""
        experiment = self._objects.experiments.get(key)
        self._count("experiment", key, experiment)
        if experiment is None:
            self._deleting.discard(key)
            self._experiments.interrupt(key)
        elif not experiment.metadata.deletion_timestamp:
            self._deleting.discard(key)
            self._experiments.add(key)
        elif key in self._deleting:
            self._experiments.add(key)
        else:
            self._deleting.add(key)
            self._experiments.interrupt(key)

    def _trial_changed(self, key: Key) -> None:
        self._count("trial", key, self._objects.all_trials.get(key))
        self._trials.add(key)

    def _count(self, kind: str, key: Key, item: Experiment | Trial | None) -> None:
        for event in self._lifecycle[kind].seen(key, item):
            self._dependencies.metrics.count_lifecycle_event(kind, key.namespace, event)

    async def _trial(self, key: Key, now: datetime) -> datetime | None:
        """Reconcile a trial; do so again soon if its job cannot be watched."""
        wake = await self._driver.trial(key, now)
        trial = await self._objects.trial(key)
        if trial is None or (has_ended(trial) and not trial.metadata.deletion_timestamp):
            return wake
        trouble = self._jobs.trouble(trial)
        if not trouble:
            return wake
        message = (
            f"cannot watch its job: {trouble}; it is checked every few seconds instead, until the"
            " controller may watch this kind"
        )
        event = EmitEvent(about=trial, reason=EventReason.JOB_NOT_WATCHED, message=message)
        self._dependencies.events.emit(event)
        again = now + _JOB_CHECK
        return min(again, wake) if wake is not None else again

    async def _restore(self) -> None:
        """Continue to delete the metrics of trials that were deleted in earlier terms."""
        try:
            for key in await self._driver.restore():
                self._trials.add(key)
        except RemoteError as error:
            _log.warning("cannot read which metrics must still be deleted", cause=str(error))

    async def _reconcile_all(self) -> None:
        """Reconcile each object from time to time, in case a change was missed."""
        while True:
            await self._restore()
            await asyncio.sleep(_RECONCILE_ALL_SECONDS)
            spread = random.Random()  # noqa: S311 - not all at once, that is all
            for experiment in self._objects.experiments.cache:
                if experiment is not None:
                    self._experiments.add(key_of(experiment), spread.uniform(0, 60))
            for trial in self._objects.all_trials.cache:
                if trial is not None:
                    self._trials.add(key_of(trial), spread.uniform(0, 60))
