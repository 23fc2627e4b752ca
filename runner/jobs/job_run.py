"""One job: it runs one pod after the other, until one succeeds or the limit is reached."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from api.documents import value_at
from api.errors import UserError
from api.types import JsonObject
from controller.reconcile.views import PodFacts
from runner.jobs.failed_starts import FailedStarts
from runner.jobs.injection import TrialObjects
from runner.jobs.job_pods import JobPods
from runner.jobs.job_spec import JobSpec, read_job
from runner.jobs.job_status import (
    BACKOFF,
    COMPLETED,
    DEADLINE,
    REFUSED,
    JobEnd,
    JobProgress,
    brief_cause_of,
    cause_of,
    with_status,
)
from runner.jobs.run_context import JobFolders, RunContext
from runner.pods.container_lifecycle import PAUSES, UNSTARTABLE, now
from runner.pods.pod_lifecycle import Termination
from runner.pods.pod_spec import RestartPolicy
from runner.pods.statuses import Phase, PodStatus

LEAVING = 10.0
"""Seconds from SIGTERM to SIGKILL when the runner itself ends."""


class JobRun:
    """A job on this machine."""

    def __init__(
        self,
        objects: TrialObjects,
        context: RunContext,
        folders: JobFolders,
        changed: Callable[[JsonObject], None],
    ) -> None:
        """Make it; `changed` is called with the job's document after each change."""
        self.document = objects.job
        self._objects, self._spawner, self._changed = objects, context.spawner, changed
        self._progress = JobProgress(started=now(), failed=_failures(objects.job))
        self._pods = JobPods(objects, context, folders, self._pod_begun)
        self._restarts = 0
        """How often the containers of the current pod were restarted."""
        name = objects.trial.metadata.name
        self.failures = FailedStarts(lambda text: context.tell(f"{name} {text}"), time.monotonic)

    async def run(self) -> None:
        """Run the job. Then `document` has its result, unless the job was left or deleted."""
        try:
            form = read_job(self._objects.job)
            self._note(bare=form.bare)
            deadline = asyncio.create_task(self._await_deadline(form))
            try:
                outcome = await self._run_pods(form)
            finally:
                deadline.cancel()
                await asyncio.gather(deadline, return_exceptions=True)
        except UserError as error:
            outcome = JobEnd(reason=REFUSED, cause=str(error))
        if outcome is not None:
            self._note(outcome=outcome, ended=now())

    @property
    def facts(self) -> PodFacts:
        """What the current pod, or the last one, says about its collector."""
        return self._pods.facts

    @property
    def waits_for(self) -> str:
        """What the job's pod waits for, such as `waiting for a GPU`; "" if it does not wait."""
        return self._pods.waits_for

    def delete(self) -> None:
        """End the job; its result is not needed."""
        message = "the job was deleted"
        self._pods.end(Termination(reason="Deleted", message=message, grace=self._grace))

    def leave(self) -> None:
        """End the job because the runner ends; the next runner resumes it."""
        message = "the runner was ended"
        self._pods.end(
            Termination(reason="Interrupted", message=message, grace=LEAVING, abandoned=True)
        )

    def kill(self) -> None:
        """Kill the job at once."""
        self._pods.kill()

    async def _run_pods(self, form: JobSpec) -> JobEnd | None:
        """Run pods; return None if the result is no longer needed."""
        pods, waits = self._pods, PAUSES.waits()
        status = await pods.recover(form)
        while pods.ending is None:
            status = status or await pods.run(form, lambda status: self._pod_changed(form, status))
            await pods.look_elsewhere()
            if self._spawner.lost:
                return None  # the pod's result is unknown: the next run resumes it
            if pods.ending is None:
                outcome = self._judged(form, status)
                if outcome is not None:
                    return outcome
                pause = next(waits)
                self.failures.retry(self._progress.failed, form.backoff_limit, pause)
                await pods.pause(pause)
                status = None
        if pods.ending.reason != DEADLINE:
            return None
        return JobEnd(reason=DEADLINE, cause=_cause_in_time(status))

    def _judged(self, form: JobSpec, status: PodStatus) -> JobEnd | None:
        """Return the job's end after a pod's end; None if another pod must run."""
        if status.phase is Phase.SUCCEEDED:
            return JobEnd(reason=COMPLETED)
        self._pods.mark_judged()  # first, so that no crash counts it twice
        self._note(failed=self._progress.failed + 1)
        self.failures.add(brief_cause_of(status))
        ends = [one.ended for one in (*status.init_containers, *status.containers)]
        if any(end is not None and end.reason in UNSTARTABLE for end in ends):
            return JobEnd(reason=REFUSED, cause=cause_of(status))
        if self._progress.failed > form.backoff_limit or status.reason == BACKOFF:
            return JobEnd(reason=BACKOFF, cause=cause_of(status))
        return None

    def _pod_begun(self) -> None:
        self._restarts = 0
        self.failures.begin()

    def _pod_changed(self, form: JobSpec, status: PodStatus) -> None:
        """Process a pod's new status; end the pod if it was restarted too often."""
        self._note(pod=status)
        if status.over:
            return
        limit = max(1, form.backoff_limit)
        if status.restarts > self._restarts:
            self._restarts = status.restarts
            self.failures.add(brief_cause_of(status))
            if status.restarts < limit:
                self.failures.retry(status.restarts, limit - 1, PAUSES.wait(status.restarts))
            self.failures.begin()
        pod = self._pods.alive
        on_failure = pod is not None and pod.restart_policy is RestartPolicy.ON_FAILURE
        if on_failure and status.restarts >= limit:
            message = "a container was started too often"
            self._pods.end_pod(Termination(reason=BACKOFF, message=message, grace=self._grace))

    async def _await_deadline(self, form: JobSpec) -> None:
        if form.deadline is None:
            return
        await asyncio.sleep(form.deadline)
        message = "Job was active longer than specified deadline"
        self._pods.end(Termination(reason=DEADLINE, message=message, grace=self._grace))

    @property
    def _grace(self) -> float:
        """Of the pod that runs, in seconds."""
        pod = self._pods.alive
        return pod.grace if pod is not None else 0

    def _note(self, **changes: object) -> None:
        self._progress = replace(self._progress, **changes)  # type: ignore[arg-type]  # its fields
        self.document = with_status(self._objects.job, self._progress)
        self._changed(self.document)


def _failures(document: JsonObject) -> int:
    failed = value_at(document, "status", "failed")
    return failed if isinstance(failed, int) else 0


def _cause_in_time(status: PodStatus | None) -> str:
    return cause_of(replace(status, message="")) if status is not None else ""
