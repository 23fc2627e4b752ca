"""Reviews of experiments, as the server has them: the look-ups, the answer, the log."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Final

from api.errors import Fault
from api.types import JsonObject
from kube.settings_source import ConfigSource
from serving.logs import get_logger
from webhook.driver.cluster_lookups import ClusterLookups
from webhook.driver.cluster_rights import ClusterRights
from webhook.experiments.author_annotation import forged, with_author
from webhook.experiments.authors import RightLookup
from webhook.experiments.decision import ExperimentVerdict, Reply, decide_on_experiment
from webhook.experiments.defaulting import fill_in_defaults
from webhook.experiments.request import ExperimentRequest
from webhook.model.config import Config
from webhook.server import admission_review
from webhook.server.admission_review import AdmissionRequest
from webhook.server.experiment_admission import experiment_request_of
from webhook.server.json_patch import patch_between
from webhook.server.metrics import Metrics

MUTATE: Final = "/mutate-experiment"
VALIDATE: Final = "/validate-experiment"
_GROUP: Final = "kubeflow.org"
_WHYS: Final = {
    "Required": "FieldValueRequired",
    "Forbidden": "FieldValueForbidden",
}
_MOST_TOLD: Final = 100
"""Faults that one answer lists."""
_log = get_logger(__name__)


class ExperimentHandler:
    """Answers the reviews of one of the two paths."""

    what = "the experiment"

    def __init__(
        self,
        path: str,
        lookups: ClusterLookups,
        authors: ClusterRights,
        config: ConfigSource[Config],
        metrics: Metrics,
    ) -> None:
        self._path, self._lookups, self._authors = path, lookups, authors
        self._config, self._metrics = config, metrics

    async def review(self, request: AdmissionRequest, started: float, deadline: float) -> bytes:
        """Judge an experiment. Raises NoReview and RecursionError, as any reviewer does."""
        asked = experiment_request_of(request)
        ruling = await self._ruling(asked, deadline)
        verdict, answer = self._answered(request.uid, asked, ruling)
        seconds = asyncio.get_running_loop().time() - started
        self._metrics.judged_experiment(self._path, verdict, seconds)
        if ruling.unknown or ruling.faults:
            _log.warning(
                "refused an experiment",
                path=self._path,
                namespace=asked.namespace,
                name=asked.name,
                cause=ruling.unknown or "; ".join(str(fault) for fault in ruling.faults),
                dryRun=request.dry_run,
            )
        return answer

    async def _ruling(self, asked: ExperimentRequest, deadline: float) -> ExperimentVerdict:
        questions = decide_on_experiment(asked, self._config.config)
        reply: Reply | None = None
        while True:
            try:
                question = questions.send(reply)
            except StopIteration as end:
                ruling: ExperimentVerdict = end.value
                return ruling
            if isinstance(question, RightLookup):
                reply = await self._authors.answer(question, deadline)
            else:
                reply = await self._lookups.answer(question, deadline)

    def _answered(
        self, uid: str, asked: ExperimentRequest, ruling: ExperimentVerdict
    ) -> tuple[str, bytes]:
        """Return a word for the verdict, and the answer."""
        if ruling.unknown:
            return "fail", answer_of_unknown(uid, ruling.unknown)
        faults = ruling.faults
        if self._path == VALIDATE and not faults:
            faults = tuple(forged(asked, ruling.kind))
        if faults:
            return "refuse", answer_of_faults(uid, "Experiment", asked.name, faults)
        if self._path == VALIDATE:
            return "allow", admission_review.allowed(uid, warnings=ruling.warnings)
        patch = _patch(asked, ruling.kind)
        return "patch" if patch else "allow", admission_review.allowed(uid, patch=patch)


def _patch(asked: ExperimentRequest, kind: str) -> list[JsonObject]:
    if not isinstance(asked.document, dict):
        return []
    after = asked.document if asked.settled else fill_in_defaults(asked.document, asked.old)
    return patch_between(asked.document, with_author(asked, after, kind))


def answer_of_unknown(uid: str, cause: str) -> bytes:
    """Refuse what cannot be judged now."""
    return admission_review.refused(uid, HTTPStatus.SERVICE_UNAVAILABLE, f"{cause}; try again")


def answer_of_faults(uid: str, kind: str, name: str, faults: tuple[Fault, ...]) -> bytes:
    """Refuse as the API server itself does where a schema is not kept: kubectl lists the causes."""
    told = faults[:_MOST_TOLD]
    if len(faults) > _MOST_TOLD:
        more = f"{len(faults) - _MOST_TOLD} more faults; correct these first"
        told = (*told, Fault("spec", f"Invalid value: {more}"))
    said = [str(fault) for fault in told]
    text = said[0] if len(said) == 1 else f"[{', '.join(said)}]"
    causes = [
        {"reason": _why(fault), "message": fault.message, "field": fault.path} for fault in told
    ]
    details: JsonObject = {"group": _GROUP, "kind": kind, "name": name, "causes": causes}
    return admission_review.refused(uid, HTTPStatus.UNPROCESSABLE_ENTITY, text, details=details)


def _why(fault: Fault) -> str:
    return _WHYS.get(fault.message.partition(" ")[0].rstrip(":"), "FieldValueInvalid")
