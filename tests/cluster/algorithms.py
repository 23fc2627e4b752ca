"""Search services from outside: deployed in the cluster, with an entry in katib-config."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cluster.client import Cluster, Object, until
from tests.cluster.dockerfiles import VERSION
from tests.cluster.katib_config import edit_katib_config

_PORT = 6789
_LABELS = {"app": "search"}
_SOURCE = Path(__file__).with_name("naming_search.py")


@contextmanager
def naming_search(cluster: Cluster, namespace: str) -> Iterator[str]:
    """Let a search that names its trials serve in a namespace; give its algorithm's name."""
    name = f"naming-{secrets.token_hex(3)}"
    entry = {"algorithmName": name, "endpoint": f"search.{namespace}:{_PORT}"}
    edit_katib_config(cluster, lambda config: _searches(config).append(entry))
    try:
        cluster.create("services", namespace, _service())
        cluster.create("pods", namespace, _pod())
        until("a search that serves", lambda: _is_ready(cluster.get("pods", namespace, "search")))
        yield name
    finally:
        edit_katib_config(cluster, lambda config: _searches(config).remove(entry))


def _service() -> Object:
    spec = {"selector": _LABELS, "ports": [{"port": _PORT}]}
    return {"metadata": {"name": "search"}, "spec": spec}


def _pod() -> Object:
    container = {
        "name": "search",
        # It has Katib's messages, and gRPC.
        "image": f"docker.io/trialwatch/suggestion:{VERSION}",
        "command": ["python", "-c", _SOURCE.read_text()],
        "readinessProbe": {"tcpSocket": {"port": _PORT}, "periodSeconds": 1},
    }
    return {"metadata": {"name": "search", "labels": _LABELS}, "spec": {"containers": [container]}}


def _is_ready(pod: Object | None) -> bool:
    conditions = (pod or {}).get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _searches(config: Any) -> list[Any]:  # noqa: ANN401 - YAML
    found: list[Any] = config["runtime"].setdefault("suggestions", [])
    return found
