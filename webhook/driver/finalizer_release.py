"""Removes trialwatch's finalizers from all experiments or all trials.

The controller removes them one by one, when job and metrics are deleted. When trialwatch itself is
deleted, the controller loses its rights before it has done so, and nothing would remove them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from api import names
from api.documents import mapping_at
from api.errors import TrialwatchError, Unavailable
from api.objects.metadata import API_VERSION
from api.types import JsonObject
from kube.cluster import Cluster, Kind, Ref, Scope, ref_of, version_of
from kube.errors import Conflict, Gone, NotFound

_AT_ONCE: Final = 32
"""Concurrent calls to the API server."""
_PAUSE_SECONDS: Final = 0.1
"""Between two lists: an object that has changed is read again."""
_LISTED_AGAIN: Final = (Conflict, NotFound, Unavailable)
"""What a patch may meet: the next list shows whether the object still exists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finalized:
    """A kind of objects, and the finalizer that they may have."""

    kind: Kind
    crd: str
    """The name of the kind's CRD."""
    finalizer: str


EXPERIMENTS: Final = Finalized(
    kind=Kind(api_version=API_VERSION, kind="Experiment"),
    crd="experiments.kubeflow.org",
    finalizer=names.EXPERIMENT_FINALIZER,
)
TRIALS: Final = Finalized(
    kind=Kind(api_version=API_VERSION, kind="Trial"),
    crd="trials.kubeflow.org",
    finalizer=names.TRIAL_FINALIZER,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What was done."""

    released: int
    """Objects that have lost the finalizer."""
    complete: bool = True
    """Whether no object had it any more when the time was over."""


class FinalizerRelease:
    """Removes a finalizer from all objects of a kind."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def is_being_deleted(self, finalized: Finalized) -> bool:
        """Return whether the kind's CRD is being deleted, or gone.

        Raises:
            TrialwatchError: the API server does not say.
        """
        ref = Ref(
            api_version="apiextensions.k8s.io/v1",
            kind="CustomResourceDefinition",
            namespace="",
            name=finalized.crd,
        )
        try:
            found = await self._cluster.get(ref)
        except NotFound:
            return True
        return bool(mapping_at(found, "metadata").get("deletionTimestamp"))

    async def release(self, finalized: Finalized, deadline: float) -> Release:
        """Remove the finalizer until no object has it, or until the event loop's clock says so.

        Raises:
            Forbidden: the program may not do this, or not any more.
            UnknownKind: the cluster does not serve the kind any more.
        """
        released: set[str] = set()
        try:
            async with asyncio.timeout_at(deadline):
                while pending := await self._pending(finalized):
                    released |= await self._patch_all(pending, finalized.finalizer)
                    await asyncio.sleep(_PAUSE_SECONDS)
        except TimeoutError:
            return Release(released=len(released), complete=False)
        return Release(released=len(released))

    async def _pending(self, finalized: Finalized) -> list[JsonObject]:
        """Return the objects that have the finalizer, once the API server lists them."""
        while True:
            try:
                return await self._listed(finalized)
            except (Gone, Unavailable):
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _listed(self, finalized: Finalized) -> list[JsonObject]:
        found: list[JsonObject] = []
        async with aclosing(self._cluster.pages(Scope(finalized.kind))) as pages:
            async for page in pages:
                found += (one for one in page.items if finalized.finalizer in _finalizers(one))
        return found

    async def _patch_all(self, documents: Sequence[JsonObject], finalizer: str) -> set[str]:
        """Remove the finalizer once from each; return the names of those that lost it."""
        places = asyncio.Semaphore(_AT_ONCE)

        async def patch(document: JsonObject) -> str | TrialwatchError:
            left = [name for name in _finalizers(document) if name != finalizer]
            metadata: JsonObject = {"finalizers": left, "resourceVersion": version_of(document)}
            async with places:
                try:
                    await self._cluster.patch(ref_of(document), {"metadata": metadata})
                except TrialwatchError as error:
                    return error
            return str(ref_of(document))

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(patch(document)) for document in documents]
        answers = [task.result() for task in tasks]
        for answer in answers:
            if isinstance(answer, TrialwatchError) and not isinstance(answer, _LISTED_AGAIN):
                raise answer
        return {answer for answer in answers if isinstance(answer, str)}


def _finalizers(document: JsonObject) -> Sequence[str]:
    found = mapping_at(document, "metadata").get("finalizers")
    return [str(name) for name in found] if isinstance(found, list) else ()
