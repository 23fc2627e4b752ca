"""Search algorithms of others: a service in the cluster, and its entry in katib-config."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from api.names import CONFIG_MAP, CONFIG_MAP_KEY
from tests.cluster.client import Cluster, Object, RefusedError, until
from tests.cluster.dockerfiles import VERSION
from tests.cluster.installation import NAMESPACE

_PORT = 6789
_LABELS = {"app": "search"}
_PATH = f"/api/v1/namespaces/{NAMESPACE}/configmaps/{CONFIG_MAP}"
_SOURCE = Path(__file__).with_name("naming_search.py")


@contextmanager
def naming_search(cluster: Cluster, namespace: str) -> Iterator[str]:
    """Let a search that names its trials serve in a namespace; give its algorithm's name."""
    name = f"naming-{secrets.token_hex(3)}"
    entry = {"algorithmName": name, "endpoint": f"search.{namespace}:{_PORT}"}
    _edit(cluster, lambda entries: entries.append(entry))
    try:
        cluster.create("services", namespace, _service())
        cluster.create("pods", namespace, _pod())
        until("a search that serves", lambda: _is_ready(cluster.get("pods", namespace, "search")))
        yield name
    finally:
        _edit(cluster, lambda entries: entries.remove(entry))


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


def _edit(cluster: Cluster, change: Callable[[list[Any]], object]) -> None:
    """Change the searches of katib-config, beside others who do so."""

    def written() -> bool:
        found = cluster.request("GET", _PATH)
        config = yaml.safe_load(found["data"][CONFIG_MAP_KEY])
        change(config["runtime"].setdefault("suggestions", []))
        found["data"][CONFIG_MAP_KEY] = yaml.safe_dump(config)
        try:
            cluster.request("PUT", _PATH, found)
        except RefusedError as error:
            if error.status != 409:
                raise
            return False
        return True

    until("katib-config to be written", written)
