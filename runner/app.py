"""One run of an experiment: sets up all parts, and works until the experiment has ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from api.errors import RemoteError, SetupError
from api.objects.validation_update import completed
from api.types import Experiment, Suggestion, Trial
from controller.driver.driver import Driver
from controller.driver.ports import Ports
from controller.reconcile.experiment_states import Completion, failed_because, mark_completed
from controller.reconcile.trial_order import in_order
from controller.reconcile.trial_states import has_ended
from controller.reconcile.views import Key, Policy, key_of
from controller.reconcile_workers import ReconcileWorkers, utc_now
from runner.common_failure import common_failure
from runner.database import Database, StoredObservations, database
from runner.devices.leases import DeviceLeases
from runner.devices.locks import open_locks, usual_folder
from runner.early_stopping import early_stopping
from runner.experiments import ignored_fields_in
from runner.fitting import Fitted
from runner.jobs.failed_starts import FailedStarts
from runner.jobs.job_run import RunContext
from runner.jobs.local_jobs import LocalJobs
from runner.options import RunOptions
from runner.pods.container_launch import Machine
from runner.pods.own_programs import launcher_program
from runner.pods.spawner_client import SpawnerClient, start_spawner
from runner.resuming import Beginning, begin, resume
from runner.search import LocalSuggestions
from runner.state.directory import StateDirectory
from runner.state.disk_space import DiskSpace
from runner.state.last_command import write_command
from runner.state.objects import FileObjects
from runner.watcher import CannotSucceed, Snapshot, Warnings, Watcher
from webhook.model.config import Config

_POLICY = Policy(
    metrics_grace=timedelta(seconds=10),
    metrics_poll=timedelta(milliseconds=100),
    live_interval=timedelta(seconds=5),  # for `trialwatch get`; the table reads the store
)
"""RunContext the store is as near as can be: what it has not got by now, it will not get."""
_REFRESH = 0.2
"""Seconds between two updates of the user interface."""
_LOOKS = 5
"""Every n-th update reads the newest metrics of running trials from the store."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a run ended."""

    last: Snapshot
    interrupted: bool


class Run:
    """All parts of a run."""

    def __init__(
        self,
        state: StateDirectory,
        fitted: Fitted,
        options: RunOptions,
        watcher: Watcher,
    ) -> None:
        given = fitted.given
        self._state, self._given, self._watcher = state, given, watcher
        self._options, self._fitted = options, fitted
        self._objects = FileObjects(state, utc_now, self._object_changed)
        source = given.experiment.spec.trial_template
        if source is not None and source.config_map is not None and given.template is not None:
            self._objects.templates[source.config_map] = given.template
        self._key = key_of(given.experiment)
        self._experiments = ReconcileWorkers(self._reconcile_experiment, at_once=1)
        self._trials = ReconcileWorkers(self._reconcile_trial, at_once=1)
        self._driver: Driver | None = None
        self._jobs: LocalJobs | None = None
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()
        self._observations: StoredObservations | None = None
        self._latest: Mapping[str, Mapping[str, str]] = {}
        self._spawner: SpawnerClient | None = None
        self._refusal: CannotSucceed | None = None
        self._disk = DiskSpace(state.path, time.monotonic)

    async def run(self, lock: int) -> Result:
        """Run the experiment until it ends or is interrupted; `lock` is held until all is over.

        Raises:
            TrialwatchError: the experiment cannot start or continue.
        """
        beginning = self._begin()
        if self._over() and not self._left_over() and not beginning.restarted:
            return Result(last=self._snapshot(), interrupted=False)
        for fault in ignored_fields_in(self._given.experiment):
            self._watcher.warn(f"{fault.path}: {fault.message}")
        self._tell(self._snapshot())
        with self._signals():
            async with self._set_up(lock):
                await self._resume(beginning)
                self._experiments.add(self._key)
                for trial in self._objects.all_trials:
                    self._trials.add(trial)
                await self._work(lock)
                last = self._snapshot()
        self._tell(last)
        if self._refusal is not None:
            raise self._refusal
        return Result(last=last, interrupted=self._stopping.is_set() and not self._over())

    def _begin(self) -> Beginning:
        given, options = self._given, self._options
        beginning = begin(
            self._objects, given.experiment, given.template, retry_failed=options.retry_failed
        )
        write_command(self._state.command, options.last_command())
        return beginning

    async def _resume(self, beginning: Beginning) -> None:
        """Delete what is left of the trials that run again; then let them run."""
        for trial in beginning.retried:
            if self._observations is not None:
                await self._observations.delete(trial)
            name = trial.metadata.name
            shutil.rmtree(self._state.pods / name, ignore_errors=True)
            (self._state.jobs / f"{name}.yaml").unlink(missing_ok=True)
        resume(self._objects, beginning, utc_now())
        if number := len(beginning.retried):
            trials = "1 trial runs" if number == 1 else f"{number} trials run"
            self._watcher.tell(f"{trials} again, under the same name and with the same parameters")

    @asynccontextmanager
    async def _set_up(self, lock: int) -> AsyncIterator[None]:
        probe = self._state.path / "pods"
        database_url = self._options.database or f"sqlite:///{self._state.database}"
        async with AsyncExitStack() as stack:
            store = await stack.enter_async_context(database(database_url))
            stop_service = await stack.enter_async_context(early_stopping(self._stop_early))
            locks = stack.enter_context(
                open_locks(self._fitted.devices(pin=self._options.pin), usual_folder(os.environ))
            )
            if locks.problem:
                self._watcher.warn(locks.problem)
            self._spawner = spawner = await stack.enter_async_context(
                start_spawner(str(probe), hold=(lock, *locks.descriptors))
            )
            worker = stack.enter_context(ThreadPoolExecutor(1, "search"))
            machine = Machine(
                python=sys.executable,
                launcher=launcher_program(),
                environ=dict(os.environ),
                cwd=str(Path.cwd()),
                no_mounts=spawner.no_mounts,
                early_stopping=stop_service,
            )
            context = RunContext(
                spawner=spawner,
                machine=machine,
                config=Config(db_manager=store.address),
                tell=self._watcher.tell,
                devices=DeviceLeases(self._fitted.found, pin=self._options.pin, locks=locks),
            )
            self._assemble(store, context, worker)
            try:
                yield
            finally:
                if self._jobs is not None:
                    await self._jobs.leave()

    def _assemble(self, store: Database, context: RunContext, worker: ThreadPoolExecutor) -> None:
        observations = self._observations = StoredObservations(store.store)
        self._jobs = LocalJobs(
            self._state, context, lambda: self._objects.stored_suggestion, self._job_changed
        )
        ports = Ports(
            objects=self._objects,
            jobs=self._jobs,
            observations=observations,
            suggestions=LocalSuggestions(worker, observations),
            events=Warnings(self._watcher.warn),
        )
        self._driver = Driver(ports, random.Random(), _POLICY)  # noqa: S311 - names of trials

    async def _work(self, lock: int) -> None:
        """Reconcile until everything has ended, or the user interrupts."""
        tasks = [
            asyncio.create_task(work)
            for work in (self._experiments.run(), self._trials.run(), self._show())
        ]
        ending = asyncio.create_task(self._until_over(lock))
        try:
            done, _ = await asyncio.wait((*tasks, ending), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            if self._stopping.is_set():
                self._tell(self._snapshot())
        finally:
            for task in (*tasks, ending):
                task.cancel()
            await asyncio.gather(*tasks, ending, return_exceptions=True)

    async def _until_over(self, lock: int) -> None:
        while not self._stopping.is_set() and not (self._over() and self._quiet()):
            if self._jobs is not None:
                self._jobs.check()
                self._end_if_in_vain(self._jobs.failures())
            self._state.check(lock)
            self._disk.check()
            if self._spawner is not None and self._spawner.lost:
                raise SetupError(
                    "the process that runs all containers was killed, and the containers with it:"
                    " run the command again to restart them"
                )
            self._changed.clear()
            waits = (self._changed.wait(), self._stopping.wait())
            pending = [asyncio.create_task(wait) for wait in waits]
            await asyncio.wait(pending, timeout=_REFRESH, return_when=asyncio.FIRST_COMPLETED)
            for task in pending:
                task.cancel()

    def _end_if_in_vain(self, failures: Mapping[str, FailedStarts]) -> None:
        experiment = self._objects.stored_experiment
        if experiment is None or completed(experiment):
            return
        trials = [*self._objects.all_trials.values()]
        completion = common_failure(experiment, trials, failures, self._latest)
        if completion is not None:
            self._end(completion)

    def _end(self, completion: Completion) -> None:
        """End the experiment; its running trials are killed."""
        experiment = self._objects.stored_experiment
        if experiment is not None and not completed(experiment):
            status = mark_completed(experiment.status, completion, utc_now())
            self._objects.put(replace(experiment, status=status))

    def _over(self) -> bool:
        experiment = self._objects.stored_experiment
        return (
            experiment is not None
            and completed(experiment)
            and all(_is_done(trial) for trial in self._objects.all_trials.values())
        )

    def _left_over(self) -> bool:
        """Return whether an earlier run has left jobs that must be deleted."""
        trials = self._objects.all_trials.values()
        passing = (trial.metadata.name for trial in trials if not trial.spec.retain_run)
        return any((self._state.jobs / f"{name}.yaml").exists() for name in passing)

    def _quiet(self) -> bool:
        jobs = self._jobs
        return self._experiments.idle and self._trials.idle and (jobs is None or jobs.idle)

    # -- callbacks of the parts -----------------------------------------------------

    async def _reconcile_experiment(self, key: Key, now: datetime) -> datetime | None:
        return await self._driver.experiment(key, now) if self._driver else None

    async def _reconcile_trial(self, key: Key, now: datetime) -> datetime | None:
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

    # -- user interface ----------------------------------------------------------------------

    async def _show(self) -> None:
        last: Snapshot | None = None
        for look in count():
            if look % _LOOKS == 0:
                self._latest = await self._measured()
            snapshot = self._snapshot()
            if snapshot != last:
                self._tell(snapshot)
                last = snapshot
            await asyncio.sleep(_REFRESH)

    def _tell(self, snapshot: Snapshot) -> None:
        """Show a state; end the experiment if no trial can succeed."""
        try:
            self._watcher.show(snapshot)
        except CannotSucceed as error:
            self._refusal = error
            self._end(failed_because(f"Experiment has failed because {error.cause}"))

    def _snapshot(self) -> Snapshot:
        experiment = self._objects.stored_experiment or self._given.experiment
        trials = in_order(tuple(self._objects.all_trials.values()))
        return Snapshot(
            experiment=experiment,
            trials=trials,
            latest=self._latest,
            running=self._jobs.running if self._jobs is not None else 0,
            waiting=self._jobs.waiting if self._jobs is not None else {},
            retries=self._retries(),
            note=self._fitted.note,
            ending=self._stopping.is_set() and not self._over(),
        )

    def _retries(self) -> Mapping[str, int]:
        failures = self._jobs.failures() if self._jobs is not None else {}
        return {name: starts.number for name, starts in failures.items()}

    async def _measured(self) -> Mapping[str, Mapping[str, str]]:
        """Return the newest values of the running trials."""
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
        """End gracefully; at the second signal, kill all containers."""
        if self._stopping.is_set() and self._jobs is not None:
            self._jobs.kill()
        self._stopping.set()


def _is_done(trial: Trial) -> bool:
    """Return whether a trial is complete; one that stopped early may still miss its metrics."""
    return has_ended(trial) and trial.status.completion_time is not None
