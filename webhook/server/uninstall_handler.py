"""Answers AdmissionReviews about the deletion of trialwatch's CRDs.

`kubectl delete -k` deletes the CRDs, and a moment later the controller with its rights. The trials
would then keep their finalizer, and block the deletion of their CRD for ever. So the webhook
removes the finalizers. The deletion is allowed in any case.

Every pod of the cluster can send such a review, so a review is only a reason to look. What counts
is that the API server shows a CRD as being deleted, which a review cannot bring about:

| the CRD of the other kind | what the webhook does                                               |
|---------------------------|---------------------------------------------------------------------|
| is being deleted, or gone | removes both finalizers first: kubectl deletes the rights next      |
| stays                     | answers, and removes this kind's once its own CRD is being deleted  |
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from api.documents import value_at
from api.errors import TrialwatchError
from kube.errors import UnknownKind
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
_FINALIZED: Final = {one.crd: one for one in (EXPERIMENTS, TRIALS)}
_AFTERWARDS_SECONDS: Final = 5.0
"""How long to go on after the answer: the deletion begins then, and the controller may have created
a trial meanwhile."""
_PAUSE_SECONDS: Final = 0.2
_log = get_logger(__name__)


class UninstallHandler:
    """Answers the AdmissionReviews of CRDs."""

    subject = "the CRD"

    def __init__(self, release: FinalizerRelease, metrics: Metrics) -> None:
        self._release, self._metrics = release, metrics
        self._asked = asyncio.Event()

    async def respond(self, request: AdmissionRequest, started: float, deadline: float) -> bytes:
        """Allow the deletion, after removing what may be removed; see `AdmissionHandler`."""
        if request.resource != _CRDS or request.operation != "DELETE":
            raise request.unexpected("the deletion of CRDs")
        name = str(value_at(request.old, "metadata", "name"))
        warnings: list[str] = []
        if name in _FINALIZED and not request.dry_run:
            warnings = await self._released_now(name, deadline)
            self._asked.set()
        seconds = asyncio.get_running_loop().time() - started
        self._metrics.count_experiment_review(PATH, "allow", seconds)
        return allowed(request.uid, warnings=warnings)

    async def run(self) -> None:
        """After an answer, look for some seconds for CRDs whose deletion has begun."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            until = asyncio.get_running_loop().time() + _AFTERWARDS_SECONDS
            while asyncio.get_running_loop().time() < until:
                for finalized in _FINALIZED.values():
                    with suppress(TrialwatchError):  # the right to do so may be gone
                        if await self._release.is_being_deleted(finalized):
                            await self._release.release(finalized, until)
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _released_now(self, name: str, deadline: float) -> list[str]:
        """Remove the finalizers of both kinds if the other kind's CRD is being deleted."""
        others = [one for crd, one in _FINALIZED.items() if crd != name]
        try:
            if not any([await self._release.is_being_deleted(one) for one in others]):
                return []
        except TrialwatchError as error:
            return [_cannot(_FINALIZED[name].kind.kind, error)]
        texts = [await self._released(one, deadline) for one in _FINALIZED.values()]
        return [text for text in texts if text]

    async def _released(self, finalized: Finalized, deadline: float) -> str:
        """Remove the finalizers before the deadline; return what the user must know."""
        kind = finalized.kind.kind
        try:
            done = await self._release.release(finalized, deadline)
        except UnknownKind:
            return ""  # its CRD is gone already
        except TrialwatchError as error:
            return _cannot(kind, error)
        _log.info(
            "removed the finalizers, because the CRD is being deleted",
            kind=kind,
            released=done.released,
            complete=done.complete,
        )
        return _warning(kind, finalized.finalizer, done)


def _cannot(kind: str, error: TrialwatchError) -> str:
    _log.warning("cannot remove the finalizers", kind=kind, cause=str(error))
    return (
        f"cannot remove the finalizers of objects of the kind {kind}: {error}; if the deletion does"
        " not end, remove them by hand (docs/install.md, Removing it)"
    )


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
