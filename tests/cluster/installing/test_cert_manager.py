"""The overlay `cert-manager` with a real cert-manager: its certificates are served, and renewed."""

from __future__ import annotations

import base64
import datetime as dt
import socket
import ssl
from collections.abc import Iterator
from functools import partial

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.cluster import cert_manager
from tests.cluster.client import Cluster, Object, until
from tests.cluster.experiments import Experiment, X, begun, searched, true_conditions
from tests.cluster.installation import NAMESPACE, OVERLAYS, install
from tests.cluster.observations import Forwarded
from tests.cluster.trials import counted, job

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
STEPS = 20


@pytest.fixture(scope="module")
def _cert_manager(cluster: Cluster) -> Iterator[None]:
    """Let cert-manager make the certificates, as docs/install.md says; afterwards, the webhook again."""
    with cert_manager.installed(cluster):
        for kind in ("role", "rolebinding"):
            cluster.kubectl("delete", kind, "trialwatch-authority", f"--namespace={NAMESPACE}")
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


@pytest.mark.usefixtures("_cert_manager")
def test_all_certificates_are_renewed_under_running_trials_and_no_metric_is_lost(
    cluster: Cluster, namespace: str
) -> None:
    before = {name: issued(cluster, name) for name in CERTIFICATES}
    values = [str(number) for number in range(6)]
    words = ("count", str(STEPS), "3000", "print", f"x={X}")
    document = searched("renewed", values, *words, parallelTrialCount=2, maxFailedTrialCount=0)
    experiment = begun(cluster, namespace, document)
    experiment.when("trials that run", lambda found: running(found) == 2)

    # The authority last: all that it has signed stays valid.
    for name in (*SERVED, "trialwatch-ca"):
        renew(cluster, name)
        until(f"{name}'s renewal", partial(is_new, cluster, name, before[name]))
    renew(cluster, "katib-db-manager")  # by the renewed authority

    for name in SERVED:
        serves_what_is_issued(cluster, namespace, name)
        assert served(cluster, name) != before[name]
    status = experiment.end()["status"]
    assert status["trialsSucceeded"] == len(values)
    assert_nothing_is_lost(experiment)


def assert_nothing_is_lost(experiment: Experiment) -> None:
    names = [one["metadata"]["name"] for one in experiment.trials()]
    assert experiment.rows(names) == dict.fromkeys(names, counted(STEPS))


def is_new(cluster: Cluster, certificate: str, before: bytes) -> bool:
    return issued(cluster, certificate) not in (b"", before)


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


def running(experiment: Object) -> object:
    return experiment.get("status", {}).get("trialsRunning")


def renew(cluster: Cluster, certificate: str) -> None:
    """Ask cert-manager for a new certificate now, as `cmctl renew` does."""
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {
        "type": "Issuing",
        "status": "True",
        "reason": "ManuallyTriggered",
        "message": "renewed by a test",
        "lastTransitionTime": now,
    }
    path = f"/apis/cert-manager.io/v1/namespaces/{NAMESPACE}/certificates/{certificate}"
    status = cluster.request("GET", path)["status"]
    kept = [one for one in status["conditions"] if one["type"] != "Issuing"]
    body = {"status": {"conditions": [*kept, condition]}}
    cluster.request("PATCH", f"{path}/status", body)


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
