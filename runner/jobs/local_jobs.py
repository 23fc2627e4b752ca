"""`controller.driver.ports.Jobs` on this machine: each job of a run has its own task."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from api.documents import mapping_at, mappings_at, text_at, value_at
from api.names import EXPERIMENT_LABEL
from api.types import JsonObject, Suggestion, Trial
from controller.reconcile.views import JobFacts
from runner.jobs.failed_starts import FailedStarts
from runner.jobs.injection import TrialObjects
from runner.jobs.job_run import JobRun
from runner.jobs.run_context import JobFolders, RunContext
from runner.pods.container_lifecycle import now
from runner.state.directory import StateDirectory
from runner.state.documents import read_document, write_document

_ENDED = ("Succeeded", "Failed")
"""The phases of a bare pod that has ended."""


class LocalJobs:
    """The jobs of one run. The file of a job has its status, also after the runner's end."""

    def __init__(
        self,
        state: StateDirectory,
        here: RunContext,
        suggestion: Callable[[], Suggestion | None],
        changed: Callable[[Trial], None],
    ) -> None:
        """Call `changed` with the trial after each change of a job."""
        self._state, self._here = state, here
        self._suggestion, self._changed = suggestion, changed
        self._runs: dict[str, JobRun] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._deleting: dict[str, asyncio.Task[None]] = {}

    async def look(self, trial: Trial) -> JobFacts:
        """Return the state of the trial's job; a job of an earlier run is resumed."""
        name = trial.metadata.name
        run = self._runs.get(name)
        if run is None:
            document = read_document(self._file(name))
            if document is None:
                return JobFacts()
            run = self._take_up(trial, document)
        gone = not self._file(name).exists()
        return JobFacts(document=run.document, gone=gone, pods=run.facts)

    async def create(self, trial: Trial, document: JsonObject) -> None:
        """Start the job."""
        name = trial.metadata.name
        if not self._file(name).exists():
            created = _created(document)
            write_document(self._file(name), created)
            self._start(trial, created)

    async def delete(self, trial: Trial) -> None:
        """End the job, and remove the files of its pods."""
        name = trial.metadata.name
        if name not in self._deleting and self._file(name).exists():
            self._deleting[name] = asyncio.create_task(self._delete(trial))

    async def leave(self) -> None:
        """End all jobs because the runner ends; the next runner resumes them."""
        for run in self._runs.values():
            run.leave()
        await self._ended()

    def kill(self) -> None:
        """Kill all running pods at once."""
        for run in self._runs.values():
            run.kill()

    @property
    def running(self) -> int:
        """How many jobs run."""
        return sum(not task.done() for task in self._tasks.values())

    @property
    def waiting(self) -> dict[str, str]:
        """By trial whose pod cannot start yet: what it waits for."""
        return {name: text for name, run in self._runs.items() if (text := run.waits_for)}

    @property
    def idle(self) -> bool:
        """Whether no job runs and none is being deleted."""
        return all(task.done() for task in (*self._tasks.values(), *self._deleting.values()))

    def failures(self) -> Mapping[str, FailedStarts]:
        """Return, by trial, the failed starts of its job in this run."""
        return {name: run.failures for name, run in self._runs.items() if run.failures.number}

    def check(self) -> None:
        """Raise an error that ended a job's task from outside, such as a full disk."""
        for task in (*self._tasks.values(), *self._deleting.values()):
            if task.done():
                task.result()

    async def _ended(self) -> None:
        tasks = (*self._tasks.values(), *self._deleting.values())
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _delete(self, trial: Trial) -> None:
        name = trial.metadata.name
        if name in self._runs:
            self._runs[name].delete()
        if name in self._tasks:
            await self._tasks[name]
        pods = self._state.pods / name
        await asyncio.to_thread(shutil.rmtree, pods, ignore_errors=True)
        self._file(name).unlink(missing_ok=True)
        self._changed(trial)

    def _take_up(self, trial: Trial, document: JsonObject) -> JobRun:
        if not _has_ended(document):
            return self._start(trial, document)
        self._runs[trial.metadata.name] = run = self._made(trial, document)
        return run

    def _start(self, trial: Trial, document: JsonObject) -> JobRun:
        name = trial.metadata.name
        self._runs[name] = run = self._made(trial, document)
        self._tasks[name] = asyncio.create_task(run.run())
        return run

    def _made(self, trial: Trial, document: JsonObject) -> JobRun:
        name = trial.metadata.name
        experiment = trial.metadata.labels.get(EXPERIMENT_LABEL)
        suggestion = self._suggestion()
        if suggestion is not None and suggestion.metadata.name != experiment:
            suggestion = None
        family = TrialObjects(trial=trial, job=document, suggestion=suggestion)
        place = JobFolders(pods=self._state.pods / name, logs=self._state.logs / name)

        stored = _durable(document)

        def changed(found: JsonObject) -> None:
            nonlocal stored
            if _durable(found) != stored:
                write_document(self._file(name), found)
                stored = _durable(found)
            self._changed(trial)

        return JobRun(family, self._here, place, changed)

    def _file(self, name: str) -> Path:
        return self._state.jobs / f"{name}.yaml"


def _created(document: JsonObject) -> JsonObject:
    """Add the metadata that the API server sets."""
    metadata = mapping_at(document, "metadata")
    created = {"uid": str(uuid.uuid4()), "creationTimestamp": now()}
    return {**document, "metadata": {**metadata, **created}}


def _has_ended(document: JsonObject) -> bool:
    """Return whether a stored job has ended."""
    conditions = mappings_at(document, "status", "conditions")
    ended = any(condition.get("status") == "True" for condition in conditions)
    return ended or text_at(document, "status", "phase") in _ENDED


def _durable(document: JsonObject) -> object:
    """Return what the next run needs of a job's status: its failures, and its end.

    The state of its pod changes several times in each trial, and is worth nothing after this run.
    """
    phase = text_at(document, "status", "phase")
    return (
        value_at(document, "status", "failed"),
        mappings_at(document, "status", "conditions"),
        phase if phase in _ENDED else "",
    )
