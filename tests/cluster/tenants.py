"""Tenants: users who may edit one namespace, and nothing else."""

from __future__ import annotations

import secrets
import subprocess

import yaml

from tests.cluster.client import Cluster, Object

RBAC = "rbac.authorization.k8s.io"


class Tenant:
    """A user who has a role in one namespace, and nothing else."""

    def __init__(self, cluster: Cluster, namespace: str, role: str = "edit") -> None:
        self.cluster, self.namespace = cluster, namespace
        self.name = f"tenant-{secrets.token_hex(3)}"
        reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": role}
        subject = {"apiGroup": RBAC, "kind": "User", "name": self.name}
        metadata = {"name": self.name, "namespace": namespace}
        binding: Object = {
            "apiVersion": f"{RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": reference,
            "subjects": [subject],
        }
        cluster.kubectl("create", "--filename=-", objects=[binding])

    def tries(self, verb: str, document: Object) -> str:
        """Send a document as this user; return the refusal, or "" where it was taken."""
        where = (f"--namespace={self.namespace}", f"--as={self.name}", "--filename=-")
        run = subprocess.run(
            self.cluster.argv(verb, *where),
            input=yaml.safe_dump(document),
            capture_output=True,
            text=True,
            check=False,
        )
        return run.stderr if run.returncode else ""
