"""`controller.driver.ports.Jobs`, for trials of allowed kinds only.

Jobs are created with the controller's rights, and anybody who may edit a namespace may write a
Trial. So what a Trial asks for is judged here, right before the call, whatever an admission webhook
has judged before.
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
    """Other jobs, of which those of another kind are neither created, nor seen, nor deleted."""

    def __init__(
        self,
        jobs: Jobs,
        kinds: Callable[[], TrialKinds],
        resource_of: Callable[[Kind], Awaitable[Resource]],
    ) -> None:
        """`kinds` gives those that are allowed at this moment.

        `resource_of` is the cluster's: it says whether a kind's objects are in a namespace.
        """
        self._jobs, self._kinds, self._resource_of = jobs, kinds, resource_of

    async def look(self, trial: Trial) -> JobFacts:
        """Say what is known of the trial's job and pods."""
        return JobFacts() if self._refusal(trial) else await self._jobs.look(trial)

    async def create(self, trial: Trial, document: JsonObject) -> None:
        """Start the job.

        Raises:
            RemoteError: trials may not be of this kind; the trial fails with this message.
            Unavailable: the cluster does not serve the kind, for now.
        """
        refusal = self._refusal(trial)
        if refusal:
            raise RemoteError(f"spec.runSpec: {refusal}")
        found = kind_of(trial.spec.run_spec)
        kind = Kind(api_version=found.api_version, kind=found.kind)
        if not (await with_port_errors(self._resource_of(kind))).namespaced:
            raise RemoteError(
                f"spec.runSpec: objects of the kind {kind} are not in a namespace, so no trial can"
                " be one; use a namespaced kind"
            )
        await self._jobs.create(trial, document)

    async def delete(self, trial: Trial) -> None:
        """End the job."""
        if not self._refusal(trial):
            await self._jobs.delete(trial)

    def _refusal(self, trial: Trial) -> str:
        return self._kinds().refusal(kind_of(trial.spec.run_spec))
