"""Answers AdmissionReviews about the deletion of trialwatch's CRDs.

`kubectl delete -k` deletes the CRDs, and a moment later the controller with its rights. The trials
would then keep their finalizer, and block the deletion of their CRD for ever. So the finalizers are
removed before the deletion of the CRD begins, while kubectl waits for this answer. The deletion is
allowed in any case.
"""

from __future__ import annotations

import asyncio
from typing import Final

from api.documents import value_at
from api.errors import TrialwatchError
from serving.logs import get_logger
from webhook.driver.finalizer_release import (
    EXPERIMENTS,
    TRIALS,
    Finalized,
    FinalizerRelease,
    Release,
)
from webhook.server.admission_review import AdmissionRequest, allowed
from webhook.server.metrics import Metrics

PATH: Final = "/release-finalizers"
_CRDS: Final = "apiextensions.k8s.io/v1/customresourcedefinitions"
_FINALIZED: Final = {"experiments.kubeflow.org": EXPERIMENTS, "trials.kubeflow.org": TRIALS}
"""By the name of the CRD."""
_AFTERWARDS_SECONDS: Final = 5.0
"""How long to go on after the answer: the controller may have created a trial meanwhile."""
_PAUSE_SECONDS: Final = 0.1
_log = get_logger(__name__)


class UninstallHandler:
    """Answers the AdmissionReviews of CRDs."""

    subject = "the CRD"

    def __init__(self, release: FinalizerRelease, metrics: Metrics) -> None:
        self._release, self._metrics = release, metrics
        self._deleted: asyncio.Queue[Finalized] = asyncio.Queue()

    async def respond(self, request: AdmissionRequest, started: float, deadline: float) -> bytes:
        """Remove the finalizers and allow the deletion; see `AdmissionHandler`."""
        if request.resource != _CRDS or request.operation != "DELETE":
            raise request.unexpected("the deletion of CRDs")
        name = value_at(request.old, "metadata", "name")
        finalized = _FINALIZED.get(str(name))
        warning = ""
        if finalized is not None and not request.dry_run:
            warning = await self._released(finalized, deadline)
            self._deleted.put_nowait(finalized)
        seconds = asyncio.get_running_loop().time() - started
        self._metrics.count_experiment_review(PATH, "allow", seconds)
        return allowed(request.uid, warnings=[warning] if warning else [])

    async def run(self) -> None:
        """After each answer, go on for some seconds with objects that were created meanwhile."""
        while True:
            finalized = await self._deleted.get()
            until = asyncio.get_running_loop().time() + _AFTERWARDS_SECONDS
            while asyncio.get_running_loop().time() < until:
                try:
                    await self._release.release(finalized, until)
                except TrialwatchError:
                    break  # the CRD, or the right to change its objects, is gone
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _released(self, finalized: Finalized, deadline: float) -> str:
        """Remove the finalizers before the deadline; return what the user must know."""
        kind = finalized.kind.kind
        try:
            done = await self._release.release(finalized, deadline)
        except TrialwatchError as error:
            _log.warning("cannot remove the finalizers", kind=kind, cause=str(error))
            return (
                f"cannot remove the finalizers of objects of the kind {kind}: {error}; if the"
                " deletion does not end, remove them by hand (docs/install.md, Removing it)"
            )
        _log.info(
            "removed the finalizers, because the CRD is being deleted",
            kind=kind,
            released=done.released,
            complete=done.complete,
        )
        return _warning(kind, finalized.finalizer, done)


def _warning(kind: str, finalizer: str, done: Release) -> str:
    if not done.complete:
        return (
            f"objects of the kind {kind} may still have the finalizer {finalizer}, because the time"
            " is over; if the deletion does not end, remove it by hand (docs/install.md,"
            " Removing it)"
        )
    if done.released and kind == TRIALS.kind.kind:
        return (
            f"removed the finalizer {finalizer} of {done.released} objects of the kind {kind},"
            " because their CRD is being deleted; their metrics stay in the database"
        )
    return ""
