"""`controller.driver.ports.Jobs`, for trials of allowed kinds only.

The controller creates jobs with its own rights, and every user who may edit a namespace may write a
Trial. So the kind of each job is checked here, right before it is created, even if an admission
webhook has checked it before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from api.errors import RemoteError
from api.installation.trial_kinds import TrialKinds, kind_of
from api.types import JsonObject, Trial
from controller.driver.ports import Jobs
from controller.on_kube.read_your_writes_cache import with_port_errors
from controller.reconcile.views import JobFacts
from kube.cluster import Kind, Resource


class AllowedJobs:
    """Passes calls on to other jobs, but ignores and never creates jobs of a forbidden kind."""

    def __init__(
        self,
        jobs: Jobs,
        kinds: Callable[[], TrialKinds],
        resource_of: Callable[[Kind], Awaitable[Resource]],
    ) -> None:
        """`kinds` returns the kinds that are allowed now.

        `resource_of` is the cluster's method: it says whether objects of a kind are in a namespace.
        """
        self._jobs, self._kinds, self._resource_of = jobs, kinds, resource_of

    async def look(self, trial: Trial) -> JobFacts:
        """Return what is known about the trial's job and pods."""
        return JobFacts() if self._refusal(trial) else await self._jobs.look(trial)

    async def create(self, trial: Trial, document: JsonObject) -> None:
        """Create the job.

        Raises:
            RemoteError: its kind is forbidden; the trial fails with this message.
            Unavailable: the cluster does not serve the kind now.
        """
        refusal = self._refusal(trial)
        if refusal:
            raise RemoteError(f"spec.runSpec: {refusal}")
        named = kind_of(trial.spec.run_spec)
        kind = Kind(api_version=named.api_version, kind=named.kind)
        if not (await with_port_errors(self._resource_of(kind))).namespaced:
            raise RemoteError(
                f"spec.runSpec: objects of the kind {kind} are not in a namespace, so no trial can"
                " be one; use a namespaced kind"
            )
        await self._jobs.create(trial, document)

    async def delete(self, trial: Trial) -> None:
        """Delete the job, unless its kind is forbidden."""
        if not self._refusal(trial):
            await self._jobs.delete(trial)

    def _refusal(self, trial: Trial) -> str:
        return self._kinds().refusal(kind_of(trial.spec.run_spec))
