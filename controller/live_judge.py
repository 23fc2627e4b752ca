"""Judges running trials by the live values in the store, and stops those that a rule names.

Each running trial of an experiment with a rule is followed by a stream of its values; each trial
that has ended is read once. After new values the rule judges all running trials. Before a trial is
stopped, its values are read once more: the stream also has those of a start that failed, which do
not count. The judge keeps nothing that cannot be read again: after a restart it judges the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import aclosing
from typing import Any, Final

from api.backoff import Backoff
from api.errors import RemoteError, SetupError, SpecError, UserError
from api.types import Experiment, Trial
from controller.driver.ports import TrialPoints
from controller.reconcile.judged_trials import JudgedTrials, extended, is_over
from controller.reconcile.views import Key, key_of
from serving.logs import get_logger
from stopping.registry import Stopping, stopping_of

_log = get_logger(__name__)
_BACKOFF: Final = Backoff(first=0.5, longest=30.0, spread=0.0)
_READS: Final = 8
"""Trials that have ended and are read at the same time."""
_LEAST_PAUSE: Final = 0.02
"""Seconds between two judgements of an experiment; a slow rule takes a tenth of the time."""
_REST: Final = 9.0
_AFTER_FAULT: Final = 30.0
"""Seconds until a rule that has raised an error is asked again."""

StopTrial = Callable[[Key, str], Awaitable[None]]
"""Marks a trial as stopped early; takes why."""


class LiveJudge:
    """`controller.driver.ports.Judge`; `run` does the work."""

    def __init__(
        self,
        points: TrialPoints,
        stop: StopTrial,
        judges: Callable[[Experiment], bool] = lambda _: True,
    ) -> None:
        """Make it.

        Args:
            points: the values of trials.
            stop: marks a trial as stopped early.
            judges: returns whether an experiment's rule is judged here, not by another service.
        """
        self._points, self._stop, self._judges = points, stop, judges
        self._seen: dict[Key, tuple[Experiment, Sequence[Trial]]] = {}
        self._gone: set[Key] = set()
        self._changed = asyncio.Event()
        self._reads = asyncio.Semaphore(_READS)
        self._courts: dict[Key, _Court] = {}

    def saw(self, experiment: Experiment, trials: Sequence[Trial]) -> None:
        """Take note of an experiment and of all its trials."""
        if experiment.spec.early_stopping is not None:
            self._seen[key_of(experiment)] = experiment, trials
            self._changed.set()

    def forget(self, experiment: Key) -> None:
        """Take note that an experiment does not exist any more."""
        self._seen.pop(experiment, None)
        self._gone.add(experiment)
        self._changed.set()

    async def run(self) -> None:
        """Judge until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._changed.wait()
                self._changed.clear()
                gone, self._gone = self._gone, set()
                seen, self._seen = self._seen, {}
                for key in gone:
                    self._close(key)
                for key, (experiment, trials) in seen.items():
                    self._look(key, experiment, trials, tasks)

    def _look(
        self, key: Key, experiment: Experiment, trials: Sequence[Trial], tasks: asyncio.TaskGroup
    ) -> None:
        if is_over(experiment):
            self._close(key)
            return
        court = self._courts.get(key)
        if court is None:
            stopping = self._stopping_of(experiment)
            if stopping is None:
                return
            court = _Court(key, stopping, self._points, self._stop, self._reads, tasks)
            self._courts[key] = court
        court.look(trials)

    def _stopping_of(self, experiment: Experiment) -> Stopping | None:
        """Return the rule; None if it cannot be used: then the search reports why."""
        try:
            return stopping_of(experiment.spec) if self._judges(experiment) else None
        except (SpecError, SetupError):
            return None
        except Exception:  # noqa: BLE001 - a rule of another package must not stop the leader
            name = str(key_of(experiment))
            _log.exception("internal error of early stopping", experiment=name)
            return None

    def _close(self, key: Key) -> None:
        court = self._courts.pop(key, None)
        if court is not None:
            court.close()


class _Court:
    """The judge of one experiment."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of a judge
        self,
        key: Key,
        stopping: Stopping,
        points: TrialPoints,
        stop: StopTrial,
        reads: asyncio.Semaphore,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._key, self._points, self._stop = key, points, stop
        self._reads, self._start = reads, tasks.create_task
        self._trials = JudgedTrials(stopping)
        self._following: dict[str, asyncio.Task[None]] = {}
        self._read: dict[str, asyncio.Task[None]] = {}
        self._stopping: dict[str, asyncio.Task[None]] = {}
        self._running: dict[str, Trial] = {}
        self._news = asyncio.Event()
        self._judging = self._start(self._judge_news())

    def look(self, trials: Sequence[Trial]) -> None:
        """Follow the trials that run, and read those that have ended."""
        running, ended = self._trials.take(trials)
        self._running = {one.metadata.name: one for one in running}
        self._work_on(running, self._following, self._follow)
        self._work_on(ended, self._read, self._read_ended)
        for name in self._stopping.keys() - self._running.keys():
            del self._stopping[name]
        self._news.set()

    def _work_on(
        self,
        trials: Sequence[Trial],
        tasks: dict[str, asyncio.Task[None]],
        work: Callable[[Trial], Coroutine[Any, Any, None]],
    ) -> None:
        """Start the work for trials that have none; end that for others.

        A new trial may have the name of a deleted one, so the name is forgotten with the trial.
        """
        by_name = {one.metadata.name: one for one in trials}
        for name in tasks.keys() - by_name.keys():
            tasks.pop(name).cancel()
        for name in by_name.keys() - tasks.keys():
            tasks[name] = self._start(work(by_name[name]))

    def close(self) -> None:
        """End all work."""
        for tasks in (self._following, self._read, self._stopping):
            for task in tasks.values():
                task.cancel()
        self._judging.cancel()

    async def _follow(self, trial: Trial) -> None:
        name, failures = trial.metadata.name, 0
        while True:
            self._trials.begin(name)
            try:
                async with aclosing(self._points.watch(trial, self._trials.metrics)) as stream:
                    async for points in stream:
                        failures = 0
                        self._trials.add(name, points)
                        self._news.set()
            except RemoteError as error:
                if not failures:
                    self._report("cannot follow the values of a trial", name, error)
            failures += 1
            await asyncio.sleep(_BACKOFF.wait(failures, 0.5))

    async def _read_ended(self, trial: Trial) -> None:
        name, failures = trial.metadata.name, 0
        while True:
            try:
                async with self._reads:
                    points = await self._points.read(trial, self._trials.metrics)
            except RemoteError as error:
                if not failures:
                    self._report("cannot read the values of a trial", name, error)
                failures += 1
                await asyncio.sleep(_BACKOFF.wait(failures, 0.5))
            else:
                self._trials.replace(name, extended({}, points))
                self._news.set()
                return

    async def _judge_news(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            await self._news.wait()
            self._news.clear()
            begun = clock()
            try:
                verdicts = self._trials.verdicts()
            except Exception:  # noqa: BLE001 - one rule must not stop the work of the leader
                self._report_fault()
                await asyncio.sleep(_AFTER_FAULT)
                self._news.set()
                continue
            for verdict in verdicts:
                if verdict.trial not in self._stopping and verdict.trial in self._running:
                    task = self._start(self._stop_if_true(self._running[verdict.trial]))
                    self._stopping[verdict.trial] = task
            await asyncio.sleep(max(_LEAST_PAUSE, _REST * (clock() - begun)))

    async def _stop_if_true(self, trial: Trial) -> None:
        """Judge a trial by the values that count; stop it if the verdict stays."""
        name, done = trial.metadata.name, False
        try:
            points = await self._points.read(trial, self._trials.metrics)
            verdicts = self._trials.verdicts({name: extended({}, points)})
            why = next((one.why for one in verdicts if one.trial == name), None)
            if why is not None:
                _log.info(
                    "stopping a trial early", trial=name, namespace=self._key.namespace, why=why
                )
                await self._stop(key_of(trial), why)
                done = True
        except (RemoteError, UserError) as error:
            self._report("cannot stop a trial early", name, error)
        except Exception:  # noqa: BLE001 - the same
            self._report_fault()
        finally:
            if not done:  # the next value is judged anew
                self._stopping.pop(name, None)

    def _report_fault(self) -> None:
        _log.exception("internal error of early stopping", experiment=str(self._key))

    def _report(self, what: str, trial: str, error: Exception) -> None:
        _log.warning(what, trial=trial, namespace=self._key.namespace, cause=str(error))
