"""One run of an experiment: it works until the experiment has ended, or the user interrupts."""

from __future__ import annotations

import asyncio
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from api.errors import SetupError
from api.types import Experiment, Suggestion, Trial
from controller.reconcile.suggestions import entry_of
from controller.reconcile.views import Key, key_of
from controller.reconcile_workers import ReconcileWorkers, utc_now
from runner.experiment_end import ExperimentEnd
from runner.experiments import ignored_fields_in
from runner.parts import Callbacks, Parts, RunPlan, started_parts
from runner.progress import REFRESH, Progress
from runner.resuming import Beginning, begin, resume
from runner.state.disk_space import DiskSpace
from runner.state.last_command import write_command
from runner.state.objects import FileObjects
from runner.watcher import Snapshot
from suggestion.core.search_task import search_task_of
from suggestion.service.checkpoints import Checkpoints, make_directories

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a run ended."""

    last: Snapshot
    interrupted: bool


class Run:
    """One run, from its beginning to its end."""

    def __init__(self, plan: RunPlan) -> None:
        given = plan.fitted.given
        self._plan, self._state, self._given = plan, plan.state, given
        self._objects = FileObjects(plan.state, utc_now, self._object_changed)
        source = given.experiment.spec.trial_template
        if source is not None and source.config_map is not None and given.template is not None:
            self._objects.templates[source.config_map] = given.template
        self._key = key_of(given.experiment)
        self._experiments = ReconcileWorkers(self._reconcile_experiment, at_once=1)
        self._trials = ReconcileWorkers(self._reconcile_trial, at_once=1)
        self._parts: Parts | None = None
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()
        self._end = ExperimentEnd(self._objects)
        self._progress = Progress(plan, self._objects, self._end)

    async def run(self, lock: int) -> Result:
        """Run the experiment until it ends or is interrupted; `lock` is held until all is over.

        Raises:
            TrialwatchError: the experiment cannot start or continue.
        """
        progress = self._progress
        beginning = self._begin()
        if self._end.is_over and not self._left_over() and not beginning.restarted:
            return Result(last=progress.snapshot(), interrupted=False)
        for fault in ignored_fields_in(self._given.experiment):
            self._plan.watcher.warn(f"{fault.path}: {fault.message}")
        progress.show(progress.snapshot())
        if explanation := search_task_of(self._given.experiment.spec, admitted=True).explanation:
            self._plan.watcher.tell(explanation)
        callbacks = Callbacks(
            job_changed=self._job_changed,
            stop_early=self._stop_early,
            stop_by_rule=self._stop_by_rule,
        )
        with _at_signals(self._interrupt):
            async with started_parts(self._plan, self._objects, callbacks, lock) as parts:
                self._parts = progress.parts = parts
                await self._resume(beginning, parts)
                await self._work(lock, parts)
                last = progress.snapshot()
        progress.show(last)
        if progress.refusal is not None:
            raise progress.refusal
        return Result(last=last, interrupted=self._stopping.is_set() and not self._end.is_over)

    def _begin(self) -> Beginning:
        given, options = self._given, self._plan.options
        beginning = begin(
            self._objects, given.experiment, given.template, retry_failed=options.retry_failed
        )
        write_command(self._state.command, options.last_command())
        return beginning

    async def _resume(self, beginning: Beginning, parts: Parts) -> None:
        """Delete what is left of the trials that run again; then let them run."""
        for trial in beginning.retried:
            await parts.observations.delete(trial)
            name = trial.metadata.name
            shutil.rmtree(self._state.pods / name, ignore_errors=True)
            (self._state.jobs / f"{name}.yaml").unlink(missing_ok=True)
        self._renew_checkpoints(beginning)
        resume(self._objects, beginning, utc_now())
        if number := len(beginning.retried):
            trials = "1 trial runs" if number == 1 else f"{number} trials run"
            self._plan.watcher.tell(
                f"{trials} again, under the same name and with the same parameters"
            )

    def _renew_checkpoints(self, beginning: Beginning) -> None:
        """Let trials that run again begin with their parents' checkpoints, not with their own."""
        experiment = self._given.experiment
        if beginning.retried and search_task_of(experiment.spec, admitted=True).has_checkpoints:
            entries = tuple(map(entry_of, beginning.retried))
            checkpoints = Checkpoints(folder=self._state.checkpoints)
            make_directories(checkpoints, experiment.metadata.name, entries)

    async def _work(self, lock: int, parts: Parts) -> None:
        """Reconcile until everything has ended, or the user interrupts."""
        self._experiments.add(self._key)
        for trial in self._objects.all_trials:
            self._trials.add(trial)
        work = (
            self._experiments.run(),
            self._trials.run(),
            self._progress.show_changes(),
            self._until_over(lock, parts),
        )
        tasks = [asyncio.create_task(one) for one in work]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            if self._stopping.is_set():
                self._progress.show(self._progress.snapshot())
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _until_over(self, lock: int, parts: Parts) -> None:
        disk = DiskSpace(self._state.path, time.monotonic)
        while not self._stopping.is_set() and not (self._end.is_over and self._quiet(parts)):
            parts.jobs.check()
            self._end.end_if_in_vain(parts.jobs.failures(), self._progress.latest)
            self._state.check(lock)
            disk.check()
            if parts.spawner.lost:
                raise SetupError(
                    "the process that runs all containers was killed, and the containers with it:"
                    " run the command again to restart them"
                )
            self._changed.clear()
            waits = (self._changed.wait(), self._stopping.wait())
            pending = [asyncio.create_task(wait) for wait in waits]
            await asyncio.wait(pending, timeout=REFRESH, return_when=asyncio.FIRST_COMPLETED)
            for task in pending:
                task.cancel()

    def _left_over(self) -> bool:
        """Return whether an earlier run has left jobs that must be deleted."""
        trials = self._objects.all_trials.values()
        passing = (trial.metadata.name for trial in trials if not trial.spec.retain_run)
        return any((self._state.jobs / f"{name}.yaml").exists() for name in passing)

    def _quiet(self, parts: Parts) -> bool:
        return self._experiments.idle and self._trials.idle and parts.jobs.idle

    # -- callbacks of the parts -----------------------------------------------------

    async def _reconcile_experiment(self, key: Key, now: datetime) -> datetime | None:
        return await self._parts.driver.experiment(key, now) if self._parts else None

    async def _reconcile_trial(self, key: Key, now: datetime) -> datetime | None:
        return await self._parts.driver.trial(key, now) if self._parts else None

    async def _stop_early(self, name: str) -> None:
        if self._parts is not None:
            key = Key(namespace=self._key.namespace, name=name)
            await self._parts.driver.stop_early(key, utc_now())

    async def _stop_by_rule(self, key: Key, why: str) -> None:
        if self._parts is not None:
            await self._parts.driver.stop_early(key, utc_now(), why)

    def _object_changed(self, item: Experiment | Suggestion | Trial) -> None:
        self._experiments.add(self._key)
        if isinstance(item, Trial):
            self._trials.add(key_of(item))
        self._changed.set()

    def _job_changed(self, trial: Trial) -> None:
        self._trials.add(key_of(trial))
        self._changed.set()

    def _interrupt(self) -> None:
        """End gracefully; at the second signal, kill all containers."""
        if self._stopping.is_set() and self._parts is not None:
            self._parts.jobs.kill()
        self._stopping.set()
        self._progress.stopping = True


@contextmanager
def _at_signals(act: Callable[[], None]) -> Iterator[None]:
    """Call a function at each signal that asks this program to end."""
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, act)
    try:
        yield
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
