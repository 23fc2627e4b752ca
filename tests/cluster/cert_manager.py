"""cert-manager on a cluster: built from its Go module, with the CRDs of that module.

Its rights are not what is tested here, so all three programs may do everything.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.cluster.client import Cluster, Object
from tests.cluster.go_programs import module_folder, pinned, program
from tests.cluster.image_archive import Built
from tests.cluster.images import scratch

NAMESPACE = "cert-manager"
IMAGE = "trialwatch.test/cert-manager:1"
_NAME = "cert-manager"
_PROGRAMS = ("controller", "cainjector", "webhook")
_WEBHOOK = "cert-manager-webhook"
_AUTHORITY = f"{NAMESPACE}/{_WEBHOOK}-ca"


def image(folder: Path) -> Built:
    """Write the image of cert-manager's three programs."""
    built = {_NAME: program(_NAME).read_bytes()}
    entry = {"Entrypoint": [f"/{_NAME}"], "User": "65532:65532"}
    return Built(IMAGE, scratch(folder / "cert-manager.tar", IMAGE, built, entry))


@contextmanager
def installed(cluster: Cluster) -> Iterator[None]:
    """Have cert-manager in the cluster during a block; its CRDs go last, with all that they hold."""
    crds = _crds()
    try:
        cluster.kubectl("apply", "--server-side", "--filename=-", objects=[*crds, *_objects()])
        for name in _PROGRAMS:
            where = (f"deployment/cert-manager-{name}", f"--namespace={NAMESPACE}")
            cluster.kubectl("rollout", "status", *where, "--timeout=180s")
        yield
    finally:
        objects = [*_objects(), *crds]
        cluster.kubectl("delete", "--ignore-not-found", "--filename=-", objects=objects)


def _crds() -> list[Object]:
    with tempfile.TemporaryDirectory() as folder:
        module = module_folder(pinned()[_NAME], Path(folder))
    texts = [path.read_text() for path in sorted(module.glob("deploy/crds/*.yaml"))]
    return [crd for text in texts for crd in yaml.safe_load_all(text) if crd]


def _objects() -> list[Object]:
    """Return a namespace, one account, three Deployments, and the webhook's Service and configurations."""
    subject = {"kind": "ServiceAccount", "name": _NAME, "namespace": NAMESPACE}
    admin = {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": "cluster-admin",
    }
    ports = [{"port": 443, "targetPort": 10250}]
    service = {"selector": {"app": f"{_NAME}-webhook"}, "ports": ports}
    return [
        _object("v1", "Namespace", NAMESPACE, namespace=""),
        _object("v1", "ServiceAccount", _NAME),
        _object(
            *("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", _NAME),
            namespace="",
            roleRef=admin,
            subjects=[subject],
        ),
        *(_deployment(name) for name in _PROGRAMS),
        _object("v1", "Service", _WEBHOOK, spec=service),
        _configuration("Mutating", "/mutate", ["certificaterequests"]),
        _configuration(
            "Validating", "/validate", ["certificates", "certificaterequests", "issuers"]
        ),
    ]


def _deployment(name: str) -> Object:
    labels = {"app": f"{_NAME}-{name}"}
    namespace = {
        "name": "POD_NAMESPACE",
        "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}},
    }
    container: Object = {"name": name, "image": IMAGE, "args": [name], "env": [namespace]}
    if name == "webhook":
        container["readinessProbe"] = {"httpGet": {"path": "/healthz", "port": 6080}}
    pod = {"serviceAccountName": _NAME, "containers": [container]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return _object("apps/v1", "Deployment", f"{_NAME}-{name}", spec=spec)


def _configuration(kind: str, path: str, resources: list[str]) -> Object:
    rule = {"apiGroups": ["cert-manager.io"], "apiVersions": ["v1"], "resources": resources}
    hook = {
        "name": "webhook.cert-manager.io",
        "rules": [{**rule, "operations": ["CREATE", "UPDATE"]}],
        "clientConfig": {"service": {"name": _WEBHOOK, "namespace": NAMESPACE, "path": path}},
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Fail",
    }
    made = _object(
        *("admissionregistration.k8s.io/v1", f"{kind}WebhookConfiguration", _WEBHOOK),
        namespace="",
        webhooks=[hook],
    )
    annotation = {"cert-manager.io/inject-ca-from-secret": _AUTHORITY}
    return {**made, "metadata": {**made["metadata"], "annotations": annotation}}


def _object(
    version: str, kind: str, name: str, namespace: str = NAMESPACE, **more: object
) -> Object:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **more}
