"""Answers AdmissionReviews of trials, and logs refusals.

A user may write a Trial by hand. The trial then runs only what the user may create without it. The
controller's own trials pass: the authors of their experiments were checked before.
"""

from __future__ import annotations

import asyncio
from typing import Final

from api import names
from api.documents import value_at
from api.installation.trial_kinds import kind_of
from kube.settings_source import ConfigSource
from serving.logs import get_logger
from webhook.driver.cluster_rights import ClusterRights
from webhook.driver.decision_driver import drive_author_decision
from webhook.experiments.authors import AuthorVerdict, decide_on_trial
from webhook.model.config import Config
from webhook.server.admission_review import AdmissionRequest, allowed
from webhook.server.experiment_admission import is_exempt
from webhook.server.fault_response import refused_for_failed_lookup, refused_for_faults
from webhook.server.metrics import Metrics

PATH: Final = "/validate-trial"
_TRIALS: Final = "kubeflow.org/v1beta1/trials"
_OPERATIONS: Final = ("CREATE", "UPDATE", "DELETE")
_log = get_logger(__name__)


class TrialHandler:
    """Answers the AdmissionReviews of trials."""

    subject = "the trial"

    def __init__(
        self,
        rights: ClusterRights,
        config: ConfigSource[Config],
        metrics: Metrics,
        core_namespace: str = names.CORE_NAMESPACE,
    ) -> None:
        """`core_namespace` has the controller's service account."""
        self._rights, self._config, self._metrics = rights, config, metrics
        self._controller = f"system:serviceaccount:{core_namespace}:{names.OWN_CONTROLLER}"

    async def respond(self, request: AdmissionRequest, started: float, deadline: float) -> bytes:
        """Decide on a trial and write the response; see `AdmissionHandler`."""
        if request.resource != _TRIALS or request.operation not in _OPERATIONS:
            raise request.unexpected("the creation and change of trials")
        verdict = await self._verdict(request, deadline)
        word, response = _response(request, verdict)
        seconds = asyncio.get_running_loop().time() - started
        self._metrics.count_experiment_review(PATH, word, seconds)
        if word != "allow":
            _log.warning(
                "refused a trial",
                path=PATH,
                namespace=request.namespace,
                name=request.name,
                user=request.requester.name,
                cause=verdict.lookup_failure or "; ".join(str(fault) for fault in verdict.faults),
                dryRun=request.dry_run,
            )
        return response

    async def _verdict(self, request: AdmissionRequest, deadline: float) -> AuthorVerdict:
        old = request.old if request.operation == "UPDATE" else None
        job = value_at(request.document, "spec", "runSpec")
        if request.requester.name == self._controller or is_exempt(request, old) or job is None:
            return AuthorVerdict()
        kinds = self._config.config.trial_kinds
        decision = decide_on_trial(request.requester, kind_of(job), request.namespace, kinds)
        return await drive_author_decision(decision, self._rights, deadline)


def _response(request: AdmissionRequest, verdict: AuthorVerdict) -> tuple[str, bytes]:
    """Return the word for the metrics, and the response."""
    if verdict.lookup_failure:
        return "fail", refused_for_failed_lookup(request.uid, verdict.lookup_failure)
    if verdict.faults:
        return "refuse", refused_for_faults(request.uid, "Trial", request.name, verdict.faults)
    return "allow", allowed(request.uid)
