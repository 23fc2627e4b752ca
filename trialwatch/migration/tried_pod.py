"""The pod by which a migration sees, in a dry run, that the webhook works."""

from __future__ import annotations

from api.names import COLLECT_LABEL, METRICS_ANNOTATION, TRIAL_ANNOTATION
from api.types import JsonObject

_NAME = "trialwatch-migration-check"


def tried_pod(namespace: str) -> JsonObject:
    """Return a pod that asks for collection by its own label, and that every policy admits."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": _NAME,
            "namespace": namespace,
            "labels": {COLLECT_LABEL: "true"},
            "annotations": {METRICS_ANNOTATION: "loss", TRIAL_ANNOTATION: _NAME},
        },
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "training",
                    "image": "trialwatch/check:none",
                    "command": ["/train"],
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }
            ],
        },
    }
