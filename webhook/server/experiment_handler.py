"""Answers AdmissionReviews of experiments, and logs refusals."""

from __future__ import annotations

import asyncio
from typing import Final

from api.types import JsonObject
from kube.settings_source import ConfigSource
from serving.logs import get_logger
from webhook.driver.cluster_lookups import ClusterLookups
from webhook.driver.cluster_rights import ClusterRights
from webhook.driver.decision_driver import decide_experiment
from webhook.experiments.author_annotation import forged, with_author
from webhook.experiments.decision import ExperimentVerdict
from webhook.experiments.defaulting import fill_in_defaults
from webhook.experiments.request import ExperimentRequest
from webhook.model.config import Config
from webhook.server import admission_review
from webhook.server.admission_review import AdmissionRequest
from webhook.server.experiment_admission import experiment_request_of
from webhook.server.fault_response import refused_for_failed_lookup, refused_for_faults
from webhook.server.json_patch import patch_between
from webhook.server.metrics import Metrics

MUTATE: Final = "/mutate-experiment"
VALIDATE: Final = "/validate-experiment"
_log = get_logger(__name__)


class ExperimentHandler:
    """Answers the AdmissionReviews of one of the two paths."""

    subject = "the experiment"

    def __init__(
        self,
        path: str,
        lookups: ClusterLookups,
        rights: ClusterRights,
        config: ConfigSource[Config],
        metrics: Metrics,
    ) -> None:
        self._path, self._lookups, self._rights = path, lookups, rights
        self._config, self._metrics = config, metrics

    async def respond(self, request: AdmissionRequest, started: float, deadline: float) -> bytes:
        """Decide on an experiment and write the response; see `AdmissionHandler`."""
        experiment = experiment_request_of(request)
        verdict = await decide_experiment(
            experiment, self._config.config, self._lookups, self._rights, deadline
        )
        word, response = self._response(request.uid, experiment, verdict)
        seconds = asyncio.get_running_loop().time() - started
        self._metrics.count_experiment_review(self._path, word, seconds)
        if verdict.lookup_failure or verdict.faults:
            _log.warning(
                "refused an experiment",
                path=self._path,
                namespace=experiment.namespace,
                name=experiment.name,
                cause=verdict.lookup_failure or "; ".join(str(fault) for fault in verdict.faults),
                dryRun=request.dry_run,
            )
        return response

    def _response(
        self, uid: str, experiment: ExperimentRequest, verdict: ExperimentVerdict
    ) -> tuple[str, bytes]:
        """Return the word for the metrics, and the response."""
        if verdict.lookup_failure:
            return "fail", refused_for_failed_lookup(uid, verdict.lookup_failure)
        faults = verdict.faults
        if self._path == VALIDATE and not faults:
            faults = tuple(forged(experiment, verdict.kind))
        if faults:
            return "refuse", refused_for_faults(uid, "Experiment", experiment.name, faults)
        if self._path == VALIDATE:
            return "allow", admission_review.allowed(uid, warnings=verdict.warnings)
        patch = _patch(experiment, verdict.kind)
        return "patch" if patch else "allow", admission_review.allowed(uid, patch=patch)


def _patch(experiment: ExperimentRequest, kind: str) -> list[JsonObject]:
    sent = experiment.document
    if not isinstance(sent, dict):
        return []
    complete = sent if experiment.exempt else fill_in_defaults(sent, experiment.old)
    return patch_between(sent, with_author(experiment, complete, kind))
