"""A second mutating webhook changes the pod behind ours, so ours is asked again."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.names import COLLECTOR_CONTAINER
from tests.cluster.certificates import Authority
from tests.cluster.client import Cluster, Object, until
from tests.cluster.dockerfiles import VERSION
from tests.cluster.trials import TRAINER, Trials, counted, job, status_of

SCRIPT = Path(__file__).with_name("second_webhook.py")
NAME = "second-webhook"
CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"


@pytest.fixture
def second(cluster: Cluster, namespace: str) -> Iterator[None]:
    """Let another webhook, after ours in the alphabet, see the pods of the namespace's trials."""
    authority = Authority()
    for object_ in _server(authority, namespace):
        cluster.kubectl("apply", f"--namespace={namespace}", "--filename=-", objects=[object_])
    until("the webhook", lambda: _ready(cluster, namespace))
    cluster.request("POST", CONFIGURATIONS, _configuration(authority, namespace))
    yield
    cluster.request("DELETE", f"{CONFIGURATIONS}/zz-{namespace}")


def test_the_collector_is_there_once_and_ends_first(trials: Trials, second: None) -> None:
    del second
    name = trials.start(
        job("meshed", "count", "10", "1", pod={"terminationGracePeriodSeconds": 12})
    )

    assert trials.end(name) == "Complete"
    pod = trials.pod(name)
    assert [one["name"] for one in pod["spec"]["containers"]] == ["mesh", TRAINER]
    natives = [one["name"] for one in pod["spec"]["initContainers"]]
    assert sorted(natives) == sorted(["late", COLLECTOR_CONTAINER])
    assert natives[-1] == COLLECTOR_CONTAINER
    assert status_of(pod, COLLECTOR_CONTAINER)["state"]["terminated"]["exitCode"] == 0
    assert trials.rows(name) == counted(10)


def _server(authority: Authority, namespace: str) -> list[Object]:
    identity = authority.issue(NAME, "", (f"{NAME}.{namespace}.svc",))
    files = {
        "tls.crt": identity.certificate,
        "tls.key": identity.key,
        "second_webhook.py": SCRIPT.read_bytes(),
    }
    data = {name: base64.b64encode(content).decode() for name, content in files.items()}
    labels = {"app": NAME}
    container = {
        "name": "webhook",
        "image": f"docker.io/trialwatch/collector:{VERSION}",
        "command": ["python", "/webhook/second_webhook.py"],
        "volumeMounts": [{"name": "files", "mountPath": "/webhook"}],
        "readinessProbe": {"tcpSocket": {"port": 8443}, "periodSeconds": 1},
    }
    spec = {
        "containers": [container],
        "terminationGracePeriodSeconds": 1,
        "volumes": [{"name": "files", "secret": {"secretName": NAME}}],
    }
    service = {"selector": labels, "ports": [{"port": 443, "targetPort": 8443}]}
    metadata = {"name": NAME}
    return [
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data},
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service},
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {**metadata, "labels": labels},
            "spec": spec,
        },
    ]


def _ready(cluster: Cluster, namespace: str) -> bool:
    statuses = (cluster.get("pods", namespace, NAME) or {})["status"].get("containerStatuses", [])
    return any(one["ready"] for one in statuses)


def _configuration(authority: Authority, namespace: str) -> Object:
    bundle = base64.b64encode(authority.identity.certificate).decode()
    service = {"name": NAME, "namespace": namespace, "path": "/"}
    rule = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": ["pods"],
    }
    webhook = {
        "name": "second.trialwatch.test",
        "clientConfig": {"service": service, "caBundle": bundle},
        "rules": [rule],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "objectSelector": {"matchLabels": {"trialwatch.dev/collect": "true"}},
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "reinvocationPolicy": "IfNeeded",
    }
    # Configurations are asked in the order of their names, and ours is trialwatch-webhook.
    return {"metadata": {"name": f"zz-{namespace}"}, "webhooks": [webhook]}
