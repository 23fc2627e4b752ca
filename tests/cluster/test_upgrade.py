"""From an installation without tokens to one that requires them, step by step, while trials run.

The steps are those of docs/install.md, "Upgrading".
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from api.names import (
    DB_MANAGER_SECRET,
    METRICS_PORT,
    OWN_AUTHORITY_SECRET,
    SUGGESTION_SECRET,
    TRIAL_AUDIENCE,
    TRIAL_LABEL,
)
from tests.cluster.client import Cluster, Object, until
from tests.cluster.deployments import DB_MANAGER
from tests.cluster.experiments import Experiment, X, begun, searched
from tests.cluster.installation import NAMESPACE, OVERLAYS, install
from tests.cluster.trials import counted, over

pytestmark = pytest.mark.alone

WITHOUT_TOKENS = Path(__file__).with_name("without_tokens")
TRIALS, PARALLEL, STEPS = 10, 2, 45
QUIET_SECONDS = 20.0
CALLS = re.compile(
    r"^trialwatch_dbmanager_calls_without_token_total(?:\{.*\})? (\S+)$", re.MULTILINE
)


@pytest.fixture
def _without_tokens(cluster: Cluster) -> Iterator[None]:
    """Have the installation as it was before tokens; afterwards as it is now."""
    install(cluster, WITHOUT_TOKENS)
    for secret in (DB_MANAGER_SECRET, OWN_AUTHORITY_SECRET, SUGGESTION_SECRET):
        cluster.delete("secrets", NAMESPACE, secret)
    try:
        yield
    finally:
        install(cluster)


@pytest.mark.usefixtures("_without_tokens")
def test_tokens_come_under_running_trials_and_no_metric_is_lost(
    cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    values = [str(number) for number in range(TRIALS)]
    words = ("count", str(STEPS), "1000", "print", f"x={X}")
    limits = {"parallelTrialCount": PARALLEL, "maxFailedTrialCount": 0}
    experiment = begun(cluster, namespace, searched("upgraded", values, *words, **limits))
    until(
        "trials without a token",
        lambda: len(training(experiment, token=False)) == PARALLEL,
        tell=lambda: described(experiment),
    )

    install(cluster, permissive(tmp_path))
    before = training(experiment, token=False)
    until("the last trial without a token to end", lambda: not training(experiment, token=False))
    until("trials with a token", lambda: training(experiment, token=True))
    no_more_calls_without_token(cluster)

    install(cluster)
    until("trials under the new rule", lambda: training(experiment, token=True))
    status = experiment.end()["status"]

    assert before, "the trials without a token had ended before the upgrade"
    assert status["trialsSucceeded"] == TRIALS
    names = [one["metadata"]["name"] for one in experiment.trials()]
    assert experiment.rows(names) == dict.fromkeys(names, counted(STEPS))


def permissive(folder: Path) -> Path:
    """Write the kustomization of the first step."""
    here = folder.resolve()
    kustomization = {
        "resources": [os.path.relpath(OVERLAYS / "standalone", here)],
        "components": [os.path.relpath(OVERLAYS.parent / "components" / "permissive", here)],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return folder


def described(experiment: Experiment) -> str:
    """Describe the experiment and its pods."""
    pods = experiment.cluster.listed("pods", experiment.namespace, TRIAL_LABEL)
    lines = [f"{one['metadata']['name']}: token {has_token(one)}, {one['status']}" for one in pods]
    return "\n".join([str(experiment.document().get("status")), *lines])


def training(experiment: Experiment, *, token: bool) -> list[str]:
    """Return the pods of trials that have not ended, with a token of their own or without."""
    pods = experiment.cluster.listed("pods", experiment.namespace, TRIAL_LABEL)
    return [pod["metadata"]["name"] for pod in pods if not over(pod) and has_token(pod) == token]


def has_token(pod: Object) -> bool:
    projected = [one["projected"] for one in pod["spec"]["volumes"] if "projected" in one]
    tokens = [part.get("serviceAccountToken", {}) for one in projected for part in one["sources"]]
    return any(str(one.get("audience")).startswith(TRIAL_AUDIENCE) for one in tokens)


def no_more_calls_without_token(cluster: Cluster) -> None:
    """Wait until the DB manager's count of calls without a token stands still, as a user does."""

    def still() -> bool:
        first = calls_without_token(cluster)
        time.sleep(QUIET_SECONDS)
        return calls_without_token(cluster) == first

    until("calls without a token to end", still)


def calls_without_token(cluster: Cluster) -> float:
    selector = f"app.kubernetes.io/name={DB_MANAGER}"
    (pod,) = [one for one in cluster.listed("pods", NAMESPACE, selector) if not over(one)]
    name = pod["metadata"]["name"]
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{name}:{METRICS_PORT}/proxy/metrics"
    return sum(map(float, CALLS.findall(cluster.kubectl("get", f"--raw={path}"))))
