"""The webhook's certificate, kept in a real API server: its versions, its conflicts, its checks."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kube.connect import connected
from tests.cluster.client import Cluster
from tests.webhook.certificates.handshakes import handshake
from tests.webhook.tls import Authority
from webhook.certificates.issued import Service
from webhook.certificates.rotation import Timing
from webhook.certificates.self_signed import SelfSigned, place_of
from webhook.certificates.turn import Place

STRANGERS = Authority("a stranger's").cert.decode()
TIMING = Timing()
CONFIGURATION = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"


@pytest.fixture
def place(cluster: Cluster, namespace: str) -> Iterator[Place]:
    """A configuration that calls nobody's pods, with somebody else's authority in it."""
    place = place_of(
        Service(name="hook", namespace=namespace), secret="hook-cert", configuration=namespace
    )
    service = {"name": "hook", "namespace": namespace, "path": "/mutate-pod"}
    bundle = base64.b64encode(STRANGERS.encode()).decode()
    entry = {
        "name": "pods.hook.dev",
        "clientConfig": {"service": service, "caBundle": bundle},
        "rules": [],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    empty = {**entry, "name": "empty.hook.dev", "clientConfig": {"service": service}}
    cluster.request(
        "POST", CONFIGURATION, {"metadata": {"name": namespace}, "webhooks": [entry, empty]}
    )
    yield place
    cluster.request("DELETE", f"{CONFIGURATION}/{namespace}")


def bundles(cluster: Cluster, place: Place) -> list[str]:
    webhooks = cluster.request("GET", f"{CONFIGURATION}/{place.service.namespace}")["webhooks"]
    found = [one["clientConfig"].get("caBundle", "") for one in webhooks]
    return [base64.b64decode(one).decode() for one in found]


async def settle(replicas: list[SelfSigned]) -> None:
    """Let all look at once, over and over, until there is nothing more to do for now."""
    while True:
        done = await asyncio.gather(*(one.look() for one in replicas))
        if not any(turn.step for turn in done):
            return


async def test_replicas_agree_and_rotate_in_a_real_api_server(
    cluster: Cluster, place: Place, kubeconfig: Path
) -> None:
    # So long ago that the second certificate is not from the future.
    now = time.time() - TIMING.lifetime + TIMING.renew
    async with connected(kubeconfig) as port:
        replicas = [SelfSigned(port, place, clock=lambda: now) for _ in range(3)]

        def served() -> set[str]:
            trusted = bundles(cluster, place)
            assert trusted[0] == STRANGERS + trusted[1]
            assert all(one.ready for one in replicas)
            certs = [
                handshake(one.ssl_context, bundle, place.service.host)
                for one in replicas
                for bundle in trusted
            ]
            return set(certs)

        await settle(replicas)
        (first,) = served()
        now += TIMING.lifetime - TIMING.renew
        await settle(replicas)
        assert served() == {first}
        assert bundles(cluster, place)[1].count("BEGIN CERTIFICATE") == 2
        now += TIMING.settle + TIMING.skew
        await settle(replicas)
        (second,) = served()
        assert second != first
        now += TIMING.settle + TIMING.skew
        await settle(replicas)
        assert served() == {second}
        assert bundles(cluster, place)[1].count("BEGIN CERTIFICATE") == 1
