"""Whatever is away, an experiment can be deleted while its trials run, and nothing of it stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.cluster.client import Cluster, until
from tests.cluster.deployments import CONTROLLER, DB_MANAGER, SUGGESTION, WEBHOOK, scale
from tests.cluster.experiments import Experiment, X, begun, searched

pytestmark = pytest.mark.alone

USUAL = {CONTROLLER: 2, DB_MANAGER: 1, SUGGESTION: 2, WEBHOOK: 2}
BOUND_SECONDS = 120
"""`--deletion-grace` is a minute, an answer that is awaited ten seconds; the rest is a busy machine's."""


@contextmanager
def away(cluster: Cluster, *programs: str) -> Iterator[None]:
    with ExitStack() as stack:
        for program in programs:
            stack.callback(scale, cluster, program, USUAL[program])
            scale(cluster, program, 0)
        yield


def running(cluster: Cluster, namespace: str) -> Experiment:
    """Return an experiment of which some trials have ended and some run, for minutes."""
    values = ["1", "2", "600001", "600002", "3"]
    words = ("print", f"loss={X}", "sleep", X)
    document = searched("deleted", values, *words, parallelTrialCount=2)
    experiment = begun(cluster, namespace, document)

    def under_way() -> bool:
        status = experiment.document().get("status", {})
        return (status.get("trialsSucceeded"), status.get("trialsRunning")) == (2, 2)

    until("two trials that have ended, and two that run", under_way)
    return experiment


def test_while_store_search_and_webhook_are_away_it_goes_within_its_bounds(
    cluster: Cluster, namespace: str
) -> None:
    experiment = running(cluster, namespace)

    with away(cluster, DB_MANAGER, SUGGESTION, WEBHOOK):
        where = (f"--namespace={namespace}", f"--timeout={BOUND_SECONDS}s")
        cluster.kubectl("delete", "experiment", experiment.name, "--wait", *where)
        assert_all_goes(experiment)


def test_where_the_controller_is_away_it_goes_when_it_is_back(
    cluster: Cluster, namespace: str
) -> None:
    experiment = running(cluster, namespace)

    with away(cluster, CONTROLLER):
        cluster.delete("experiments", namespace, experiment.name)

    assert_all_goes(experiment)
    assert cluster.get("experiments", namespace, experiment.name) is None


def assert_all_goes(experiment: Experiment) -> None:
    left = experiment.left
    until("all of it to go", lambda: not left(), BOUND_SECONDS, tell=lambda: str(left()))
