"""While the webhook is away, pods without a sign of a trial start; the others are refused."""

from __future__ import annotations

import pytest

from tests.cluster.client import Object, until
from tests.cluster.deployments import WEBHOOK, scale
from tests.cluster.trainers import SCRATCH
from tests.cluster.trials import Trials, counted, job, over

pytestmark = pytest.mark.alone


def test_strangers_start_trials_are_refused_with_a_reason_and_start_when_it_is_back(
    trials: Trials,
) -> None:
    cluster, namespace = trials.cluster, trials.namespace
    scale(cluster, WEBHOOK, 0)
    try:
        container = {"name": "other", "image": SCRATCH, "command": ["/trainer", "print", "hello"]}
        spec = {"restartPolicy": "Never", "containers": [container]}
        cluster.create("pods", namespace, {"metadata": {"name": "other"}, "spec": spec})
        plain = job("plain", "print", "hello")
        del plain["spec"]["template"]["metadata"]["labels"]
        strangers_job = trials.start(plain)
        name = trials.start(job("refused", "count", "5", "1"))

        until(
            "the other pod's end", lambda: over(cluster.get("pods", namespace, "other") or PENDING)
        )
        assert trials.end(strangers_job) == "Complete", "the webhook is away for this Job too"
        [message] = until("the refusal", lambda: _refusals(trials, name))[:1]
        assert 'failed calling webhook "collected.trialwatch.dev"' in message
        assert cluster.listed("pods", namespace, f"batch.kubernetes.io/job-name={name}") == []
    finally:
        scale(cluster, WEBHOOK, 2)

    assert trials.end(name) == "Complete"
    assert trials.rows(name) == counted(5)


PENDING: Object = {"status": {"phase": "Pending"}}


def _refusals(trials: Trials, name: str) -> list[str]:
    """Return what the job controller says of pods that it could not make."""
    events = trials.cluster.listed("events", trials.namespace)
    return [
        str(event["message"])
        for event in events
        if event["reason"] == "FailedCreate" and event["involvedObject"]["name"] == name
    ]
