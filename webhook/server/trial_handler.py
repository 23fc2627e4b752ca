"""Reviews of trials: what somebody writes by hand gets no more than they may create themselves.

The controller's own trials come from experiments, whose authors were asked about already.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from api import names
from api.installation.trial_kinds import kind_of
from api.types import Json
from kube.settings_source import ConfigSource
from webhook.driver.cluster_rights import ClusterRights
from webhook.experiments.authors import AuthorVerdict, decide_on_trial
from webhook.model.config import Config
from webhook.server.admission_review import AdmissionRequest, allowed
from webhook.server.experiment_admission import is_settled
from webhook.server.experiment_handler import answer_of_faults, answer_of_unknown
from webhook.server.metrics import Metrics

PATH: Final = "/validate-trial"
_TRIALS: Final = "kubeflow.org/v1beta1/trials"
_OPERATIONS: Final = ("CREATE", "UPDATE", "DELETE")
_log = logging.getLogger(__name__)


class TrialHandler:
    """Answers the reviews of trials."""

    what = "the trial"

    def __init__(
        self,
        authors: ClusterRights,
        config: ConfigSource[Config],
        metrics: Metrics,
        core_namespace: str = names.CORE_NAMESPACE,
    ) -> None:
        """`core_namespace` has the controller's service account."""
        self._authors, self._config, self._metrics = authors, config, metrics
        self._controller = f"system:serviceaccount:{core_namespace}:{names.OWN_CONTROLLER}"

    async def review(self, request: AdmissionRequest, started: float, deadline: float) -> bytes:
        """Judge a trial. Raises NoReview, as any reviewer does."""
        if request.resource != _TRIALS or request.operation not in _OPERATIONS:
            raise request.refused("the creation and change of trials")
        ruling = await self._ruling(request, deadline)
        verdict, answer = _answered(request, ruling)
        seconds = asyncio.get_running_loop().time() - started
        self._metrics.judged_experiment(PATH, verdict, seconds)
        if verdict != "allow":
            fields = {
                "path": PATH,
                "namespace": request.namespace,
                "name": request.name,
                "user": request.requester.name,
                "cause": ruling.unknown or "; ".join(str(fault) for fault in ruling.faults),
                "dryRun": request.dry_run,
            }
            _log.warning("refused a trial", extra={"fields": fields})
        return answer

    async def _ruling(self, request: AdmissionRequest, deadline: float) -> AuthorVerdict:
        old = request.old if request.operation == "UPDATE" else None
        job = _run_spec(request.document)
        if request.requester.name == self._controller or is_settled(request, old) or job is None:
            return AuthorVerdict()
        kinds = self._config.config.trial_kinds
        questions = decide_on_trial(request.requester, kind_of(job), request.namespace, kinds)
        try:
            question = next(questions)
            while True:
                question = questions.send(await self._authors.answer(question, deadline))
        except StopIteration as end:
            ruling: AuthorVerdict = end.value
            return ruling


def _answered(request: AdmissionRequest, ruling: AuthorVerdict) -> tuple[str, bytes]:
    if ruling.unknown:
        return "fail", answer_of_unknown(request.uid, ruling.unknown)
    if ruling.faults:
        return "refuse", answer_of_faults(request.uid, "Trial", request.name, ruling.faults)
    return "allow", allowed(request.uid)


def _run_spec(document: Json) -> Json:
    """Return the object that a trial asks for; None where it asks for none."""
    spec = document.get("spec") if isinstance(document, Mapping) else None
    return spec.get("runSpec") if isinstance(spec, Mapping) else None
