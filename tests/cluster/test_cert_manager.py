"""The overlay `cert-manager` with a real cert-manager: its certificates are served."""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.cluster import cert_manager
from tests.cluster.client import Cluster, until
from tests.cluster.experiments import X, begun, searched, true_conditions
from tests.cluster.installation import NAMESPACE, OVERLAYS, install
from tests.cluster.observations import Forwarded
from tests.cluster.trials import job

pytestmark = pytest.mark.alone

CERTIFICATES = {
    "trialwatch-webhook": "trialwatch-webhook-cert",
    "trialwatch-ca": "trialwatch-ca",
    "katib-db-manager": "katib-db-manager-cert",
    "trialwatch-suggestion": "trialwatch-suggestion-cert",
}
"""The Secret of each Certificate."""
SERVED = {
    "trialwatch-webhook": 443,
    "katib-db-manager": 6790,
    "trialwatch-suggestion": 6789,
}
"""The port of each Service that serves the Certificate of its name."""
KUBELET_SECONDS = 180.0
"""A kubelet brings a changed Secret to its pods within two minutes."""


@pytest.fixture(scope="module")
def _cert_manager(cluster: Cluster) -> Iterator[None]:
    """Let cert-manager make the certificates; afterwards, the webhook again."""
    with cert_manager.installed(cluster):
        _without_certificates(cluster)
        try:
            install(cluster, OVERLAYS / "cert-manager")
            yield
        finally:
            kinds = "certificates.cert-manager.io,issuers.cert-manager.io"
            cluster.kubectl("delete", kinds, "--all", f"--namespace={NAMESPACE}")
            _without_certificates(cluster)
            install(cluster)


def _without_certificates(cluster: Cluster) -> None:
    """Remove the Secrets: their type and their data are those of the maker before."""
    for secret in CERTIFICATES.values():
        cluster.delete("secrets", NAMESPACE, secret)


@pytest.mark.usefixtures("_cert_manager")
def test_the_programs_serve_cert_managers_certificates_and_an_experiment_succeeds(
    cluster: Cluster, namespace: str
) -> None:
    words = ("count", "3", "1", "print", f"x={X}")
    experiment = begun(cluster, namespace, searched("issued", ["1", "2"], *words))

    assert true_conditions(experiment.end()) >= {"Succeeded"}
    for name in SERVED:
        serves_what_is_issued(cluster, namespace, name)


def serves_what_is_issued(cluster: Cluster, namespace: str, name: str) -> None:
    """Wait until a Service's program serves what cert-manager has issued last.

    Meanwhile the API server trusts the webhook, whichever certificate it serves.
    """

    def look() -> bool:
        ask_the_webhook(cluster, namespace)
        return served(cluster, name) == issued(cluster, name)

    until(f"{name}'s certificate", look, KUBELET_SECONDS, pause=2)


def ask_the_webhook(cluster: Cluster, namespace: str) -> None:
    """Create a pod that the webhook is asked about, without keeping it."""
    template = job("asked", "count", "1", "1")["spec"]["template"]
    pod = {**template, "metadata": {**template["metadata"], "name": "asked"}}
    cluster.request("POST", f"/api/v1/namespaces/{namespace}/pods", pod, dryRun="All")


def issued(cluster: Cluster, certificate: str) -> bytes:
    """Return the certificate that cert-manager has stored, in DER."""
    secret = cluster.get("secrets", NAMESPACE, CERTIFICATES[certificate]) or {}
    text = secret.get("data", {}).get("tls.crt", "")
    return first_of(base64.b64decode(text)) if text else b""


def served(cluster: Cluster, service: str) -> bytes:
    """Return the certificate that a Service's program serves now, in DER."""
    with Forwarded(cluster, SERVED[service], service) as forwarded:
        host, port = forwarded.address.split(":")
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        with (
            socket.create_connection((host, int(port)), timeout=30) as raw,
            context.wrap_socket(raw) as wrapped,
        ):
            return wrapped.getpeercert(binary_form=True) or b""


def first_of(pem: bytes) -> bytes:
    return x509.load_pem_x509_certificates(pem)[0].public_bytes(Encoding.DER)
