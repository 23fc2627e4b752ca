"""The webhook's certificate is renewed while jobs are created: each of their pods is injected."""

from __future__ import annotations

import base64
import time

from api.names import (
    COLLECTOR_CONTAINER,
    OWN_EXPERIMENT_WEBHOOKS,
    OWN_WEBHOOK,
    OWN_WEBHOOK_SECRET,
)
from tests.cluster.client import Cluster, until
from tests.cluster.installation import NAMESPACE
from tests.cluster.trials import Trials, job
from webhook.certificates.issued import Service, mint
from webhook.certificates.rotation import RotationState
from webhook.certificates.stored import read_state, with_state

SERVICE = Service(name=OWN_WEBHOOK, namespace=NAMESPACE)
CONFIGURATIONS = (
    ("mutating", OWN_WEBHOOK),
    ("mutating", OWN_EXPERIMENT_WEBHOOKS),
    ("validating", OWN_EXPERIMENT_WEBHOOKS),
)
JOBS = 50
# Longer than all phases of a renewal: twice the time in which all know of a write, and more.
OVER_SECONDS = 180


def state_of(cluster: Cluster) -> RotationState | None:
    return read_state(cluster.get("secrets", NAMESPACE, OWN_WEBHOOK_SECRET), SERVICE)


def begin_renewal(cluster: Cluster) -> str:
    """Put a successor beside the certificate, as a replica does in its time; return it."""
    state = until("a steady certificate", lambda: _steady(cluster))
    successor = mint(SERVICE, time.time(), 90 * 86_400.0)
    secret = cluster.get("secrets", NAMESPACE, OWN_WEBHOOK_SECRET) or {}
    begun = with_state(secret, RotationState(current=state.current, next=successor), SERVICE)
    cluster.patch("secrets", NAMESPACE, OWN_WEBHOOK_SECRET, {"data": begun["data"]})
    return successor.cert


def _steady(cluster: Cluster) -> RotationState | None:
    state = state_of(cluster)
    return state if state and state.phase == "steady" else None


def test_no_pod_goes_without_while_the_certificate_is_renewed(trials: Trials) -> None:
    cluster = trials.cluster
    successor = begin_renewal(cluster)
    names = [f"renewal-{number}" for number in range(JOBS)]

    began = time.monotonic()
    for number, name in enumerate(names):
        due = began + OVER_SECONDS * number / JOBS
        until("its turn", lambda due=due: time.monotonic() >= due)  # type: ignore[misc]
        trials.start(job(name, "print", "loss=0.5"))
    ends = [trials.end(name) for name in names]

    assert ends == ["Complete"] * JOBS
    pods = cluster.listed("pods", trials.namespace)
    sidecars = [one["name"] for pod in pods for one in pod["spec"]["initContainers"]]
    assert sidecars == [COLLECTOR_CONTAINER] * JOBS
    events = cluster.listed("events", trials.namespace)
    assert [one["message"] for one in events if one["reason"] == "FailedCreate"] == []
    renewed = until("the end of the renewal", lambda: _steady(cluster))
    assert renewed.current is not None
    assert renewed.current.cert == successor
    bundle = base64.b64encode(renewed.current.ca.encode()).decode()
    for kind, name in CONFIGURATIONS:
        path = f"/apis/admissionregistration.k8s.io/v1/{kind}webhookconfigurations/{name}"
        webhooks = cluster.request("GET", path)["webhooks"]
        assert {one["clientConfig"]["caBundle"] for one in webhooks} == {bundle}
