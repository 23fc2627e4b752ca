"""`controller.driver.ports.Jobs`: the jobs of one run, each at work in a task of its own."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

from api.documents import mapping_at, mappings_at, text_at
from api.names import EXPERIMENT_LABEL
from api.types import JsonObject, Suggestion, Trial
from controller.reconcile.views import JobFacts
from runner.jobs.injection import Family
from runner.jobs.run import Here, JobRun, Place
from runner.pods.container import now
from runner.state.directory import StateDirectory
from runner.state.documents import read_document, write_document


class LocalJobs:
    """Jobs on this machine. A job's file says what is known of it, also after the runner's end."""

    def __init__(
        self,
        state: StateDirectory,
        here: Here,
        suggestion: Callable[[], Suggestion | None],
        changed: Callable[[Trial], None],
    ) -> None:
        """Tell `changed` of each trial whose job is no longer what it was."""
        self._state, self._here = state, here
        self._suggestion, self._changed = suggestion, changed
        self._runs: dict[str, JobRun] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._deleting: dict[str, asyncio.Task[None]] = {}

    async def look(self, trial: Trial) -> JobFacts:
        """Say what is known of the trial's job; one that an earlier run left is taken up again."""
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
        """End the job, and remove what its pods had."""
        name = trial.metadata.name
        if name not in self._deleting and self._file(name).exists():
            self._deleting[name] = asyncio.create_task(self._delete(trial))

    async def leave(self) -> None:
        """End all jobs with the runner; they are taken up by the next one."""
        for run in self._runs.values():
            run.leave()
        await self._ended()

    def kill(self) -> None:
        """End all that is still at work at once."""
        for run in self._runs.values():
            run.kill()

    @property
    def idle(self) -> bool:
        """Whether nothing is at work, and nothing is being deleted."""
        return all(task.done() for task in (*self._tasks.values(), *self._deleting.values()))

    def check(self) -> None:
        """Raise what ended the work on a job that was not the job's own: a disk that is full."""
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
        family = Family(trial=trial, job=document, suggestion=suggestion)
        place = Place(pods=self._state.pods / name, logs=self._state.logs / name)

        def changed(found: JsonObject) -> None:
            write_document(self._file(name), found)
            self._changed(trial)

        return JobRun(family, self._here, place, changed)

    def _file(self, name: str) -> Path:
        return self._state.jobs / f"{name}.yaml"


def _created(document: JsonObject) -> JsonObject:
    """Add what the API server does."""
    metadata = mapping_at(document, "metadata")
    created = {"uid": str(uuid.uuid4()), "creationTimestamp": now()}
    return {**document, "metadata": {**metadata, **created}}


def _has_ended(document: JsonObject) -> bool:
    """Say whether a job that is kept says how it ended."""
    conditions = mappings_at(document, "status", "conditions")
    ended = any(condition.get("status") == "True" for condition in conditions)
    return ended or text_at(document, "status", "phase") in ("Succeeded", "Failed")
