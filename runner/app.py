"""One run: everything that a cluster has, set up around one experiment, until it has ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from api.errors import RemoteError, SetupError
from api.objects.validation_update import completed
from api.types import Experiment, Suggestion, Trial
from controller.driver.driver import Driver
from controller.driver.ports import Ports
from controller.reconcile.trial_order import in_order
from controller.reconcile.trial_states import has_ended
from controller.reconcile.views import Key, Policy, key_of
from controller.reconcile_workers import ReconcileWorkers, utc_now
from runner.database import Database, StoredObservations, database
from runner.early_stopping import early_stopping
from runner.experiments import Given, unheeded_in
from runner.jobs.local import LocalJobs
from runner.jobs.run import Here
from runner.pods.containers import Spawner, spawner
from runner.pods.launches import Machine
from runner.resuming import begin
from runner.search import LocalSuggestions
from runner.state.directory import StateDirectory
from runner.state.disk import Disk
from runner.state.objects import FileObjects
from runner.watching import Snapshot, Warnings, Watcher
from webhook.model.config import Config

_POLICY = Policy(
    metrics_grace=timedelta(seconds=10),
    metrics_poll=timedelta(milliseconds=100),
    live_interval=None,  # the store is at hand: who watches the run reads from it
)
"""Here the store is as near as can be: what it has not got by now, it will not get."""
_REFRESH = 0.2
"""Seconds between two looks at how the experiment stands."""
_LOOKS = 5
"""Every so many of them the store is asked for what the running trials have measured."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a run ended."""

    last: Snapshot
    interrupted: bool


class Run:
    """The parts of a run, put together."""

    def __init__(self, state: StateDirectory, given: Given, watcher: Watcher) -> None:
        self._state, self._given, self._watcher = state, given, watcher
        self._objects = FileObjects(state, utc_now, self._object_changed)
        source = given.experiment.spec.trial_template
        if source is not None and source.config_map is not None and given.template is not None:
            self._objects.templates[source.config_map] = given.template
        self._key = key_of(given.experiment)
        self._experiments = ReconcileWorkers(self._experiment_turn, at_once=1)
        self._trials = ReconcileWorkers(self._trial_turn, at_once=1)
        self._driver: Driver | None = None
        self._jobs: LocalJobs | None = None
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()
        self._observations: StoredObservations | None = None
        self._latest: Mapping[str, Mapping[str, str]] = {}
        self._line: Spawner | None = None
        self._disk = Disk(state.path, time.monotonic)

    async def run(self, database_url: str, lock: int) -> Result:
        """Bring the experiment to its end, or to where it is interrupted.

        Raises:
            TrialwatchError: it cannot be begun, or not go on.
        """
        begin(self._objects, self._given.experiment, self._state.path, utc_now())
        if self._over() and not self._left_over():
            return Result(last=self._snapshot(), interrupted=False)
        for fault in unheeded_in(self._given.experiment):
            self._watcher.tell(f"{fault.path}: {fault.message}")
        with self._signals():
            async with self._set_up(database_url, lock):
                self._experiments.add(self._key)
                for trial in self._objects.all_trials:
                    self._trials.add(trial)
                await self._work()
                last = self._snapshot()
        self._watcher.show(last)
        return Result(last=last, interrupted=self._stopping.is_set() and not self._over())

    @asynccontextmanager
    async def _set_up(self, database_url: str, lock: int) -> AsyncIterator[None]:
        probe = self._state.path / "pods"
        async with AsyncExitStack() as stack:
            store = await stack.enter_async_context(database(database_url))
            marks = await stack.enter_async_context(early_stopping(self._stop_early))
            self._line = line = await stack.enter_async_context(spawner(str(probe), hold=(lock,)))
            worker = stack.enter_context(ThreadPoolExecutor(1, "search"))
            machine = Machine(
                python=sys.executable,
                environ=dict(os.environ),
                cwd=str(Path.cwd()),
                no_mounts=line.no_mounts,
                early_stopping=marks,
            )
            here = Here(spawner=line, machine=machine, config=Config(db_manager=store.address))
            self._put_together(store, here, worker)
            try:
                yield
            finally:
                if self._jobs is not None:
                    await self._jobs.leave()

    def _put_together(self, store: Database, here: Here, worker: ThreadPoolExecutor) -> None:
        observations = self._observations = StoredObservations(store.store)
        self._jobs = LocalJobs(
            self._state, here, lambda: self._objects.kept_suggestion, self._job_changed
        )
        ports = Ports(
            objects=self._objects,
            jobs=self._jobs,
            observations=observations,
            suggestions=LocalSuggestions(worker, observations),
            events=Warnings(self._watcher.tell),
        )
        self._driver = Driver(ports, random.Random(), _POLICY)  # noqa: S311 - names of trials

    async def _work(self) -> None:
        """Give turns until all has ended, or the end is asked for."""
        tasks = [
            asyncio.create_task(work)
            for work in (self._experiments.run(), self._trials.run(), self._show())
        ]
        ending = asyncio.create_task(self._until_over())
        try:
            done, _ = await asyncio.wait((*tasks, ending), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (*tasks, ending):
                task.cancel()
            await asyncio.gather(*tasks, ending, return_exceptions=True)

    async def _until_over(self) -> None:
        while not self._stopping.is_set() and not (self._over() and self._quiet()):
            if self._jobs is not None:
                self._jobs.check()
            self._disk.check()
            if self._line is not None and self._line.lost:
                raise SetupError(
                    "the process that holds the trials' containers was killed, and they with it:"
                    " run again, and they begin anew"
                )
            self._changed.clear()
            waits = (self._changed.wait(), self._stopping.wait())
            pending = [asyncio.create_task(wait) for wait in waits]
            await asyncio.wait(pending, timeout=_REFRESH, return_when=asyncio.FIRST_COMPLETED)
            for task in pending:
                task.cancel()

    def _over(self) -> bool:
        experiment = self._objects.kept
        return (
            experiment is not None
            and completed(experiment)
            and all(_is_done(trial) for trial in self._objects.all_trials.values())
        )

    def _left_over(self) -> bool:
        """Say whether an earlier run has left jobs that are not to be kept."""
        trials = self._objects.all_trials.values()
        passing = (trial.metadata.name for trial in trials if not trial.spec.retain_run)
        return any((self._state.jobs / f"{name}.yaml").exists() for name in passing)

    def _quiet(self) -> bool:
        jobs = self._jobs
        return self._experiments.idle and self._trials.idle and (jobs is None or jobs.idle)

    # -- what the parts tell each other -----------------------------------------------------

    async def _experiment_turn(self, key: Key, now: datetime) -> datetime | None:
        return await self._driver.experiment(key, now) if self._driver else None

    async def _trial_turn(self, key: Key, now: datetime) -> datetime | None:
        return await self._driver.trial(key, now) if self._driver else None

    async def _stop_early(self, name: str) -> None:
        if self._driver is not None:
            await self._driver.stop_early(Key(namespace=self._key.namespace, name=name), utc_now())

    def _object_changed(self, item: Experiment | Suggestion | Trial) -> None:
        self._experiments.add(self._key)
        if isinstance(item, Trial):
            self._trials.add(key_of(item))
        self._changed.set()

    def _job_changed(self, trial: Trial) -> None:
        self._trials.add(key_of(trial))
        self._changed.set()

    # -- what is shown ----------------------------------------------------------------------

    async def _show(self) -> None:
        last: Snapshot | None = None
        for look in count():
            if look % _LOOKS == 0:
                self._latest = await self._measured()
            snapshot = self._snapshot()
            if snapshot != last:
                self._watcher.show(snapshot)
                last = snapshot
            await asyncio.sleep(_REFRESH)

    def _snapshot(self) -> Snapshot:
        experiment = self._objects.kept or self._given.experiment
        trials = in_order(tuple(self._objects.all_trials.values()))
        return Snapshot(experiment=experiment, trials=trials, latest=self._latest)

    async def _measured(self) -> Mapping[str, Mapping[str, str]]:
        """Ask for the newest values of the trials that run."""
        latest = {}
        for trial in [*self._objects.all_trials.values()]:
            if self._observations is not None and not has_ended(trial):
                with contextlib.suppress(RemoteError):
                    found = await self._observations.summary(trial)
                    latest[trial.metadata.name] = {one.name: one.last for one in found}
        return latest

    # -- signals ----------------------------------------------------------------------------

    @contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._interrupt)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    def _interrupt(self) -> None:
        """End in peace at first; told once more, at once."""
        if self._stopping.is_set() and self._jobs is not None:
            self._jobs.kill()
        self._stopping.set()


def _is_done(trial: Trial) -> bool:
    """Say whether nothing is awaited: one that was stopped early has yet to be observed."""
    return has_ended(trial) and trial.status.completion_time is not None


def run_experiment(
    given: Given, state: StateDirectory, database_url: str | None, watcher: Watcher
) -> Result:
    """Run an experiment on this machine, or go on with it.

    Raises:
        TrialwatchError: it cannot be begun, or not go on; what was done until then is kept.
    """
    if sys.platform != "linux":
        raise SetupError(
            f"experiments run here on Linux, not on {sys.platform}: take a virtual machine, or a"
            " container with Python in it"
        )
    state.make()
    with state.locked() as lock:
        url = database_url or f"sqlite:///{state.database}"
        return asyncio.run(_run(given, state, url, lock, watcher))


async def _run(
    given: Given, state: StateDirectory, url: str, lock: int, watcher: Watcher
) -> Result:
    return await Run(state, given, watcher).run(url, lock)
