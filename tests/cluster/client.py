"""Calls to the API server: objects in, objects out, through the official client."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml
from kubernetes import config
from kubernetes.client import ApiClient
from urllib3.util.ssl_ import create_urllib3_context

from serving.reset_connections import close_when_reset

Object = dict[str, Any]
T = TypeVar("T")

PATIENCE_SECONDS = 240.0
_PAUSE_SECONDS = 0.3
_GROUPS = {
    "pods": "/api/v1",
    "events": "/api/v1",
    "secrets": "/api/v1",
    "services": "/api/v1",
    "namespaces": "/api/v1",
    "configmaps": "/api/v1",
    "serviceaccounts": "/api/v1",
    "jobs": "/apis/batch/v1",
    "deployments": "/apis/apps/v1",
    "experiments": "/apis/kubeflow.org/v1beta1",
    "suggestions": "/apis/kubeflow.org/v1beta1",
    "trials": "/apis/kubeflow.org/v1beta1",
}
_FORGOTTEN = {404, 409}


class RefusedError(Exception):
    """The API server said no."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


class Cluster:
    """A cluster by its kubeconfig; a client of its own for each thread."""

    def __init__(self, kubeconfig: Path, kubectl: str = "kubectl") -> None:
        self._kubeconfig = kubeconfig
        self._kubectl = kubectl
        self._api: ApiClient = config.new_client_from_config(str(kubeconfig))  # type: ignore[no-untyped-call]
        # Tests kill the API server: it may reset a connection at any moment.
        context = create_urllib3_context()
        close_when_reset(context)
        self._api.rest_client.pool_manager.connection_pool_kw["ssl_context"] = context

    def close(self) -> None:
        """Close the connections."""
        self._api.close()  # type: ignore[no-untyped-call]
        self._api.rest_client.pool_manager.clear()

    def request(self, method: str, path: str, body: object = None, **query: str) -> Object:
        """Return the API server's answer.

        Raises:
            RefusedError: The API server says no.
        """
        patch = "application/merge-patch+json" if method == "PATCH" else "application/json"
        call = self._api.param_serialize(
            method,
            path,
            query_params=list(query.items()),
            header_params={"Accept": "application/json", "Content-Type": patch},
            body=body,
            auth_settings=["BearerToken"],
        )
        answer = self._api.call_api(*call, _request_timeout=60)
        said: Object = json.loads(answer.read())  # type: ignore[no-untyped-call]
        if answer.status >= 400:
            raise RefusedError(answer.status, str(said.get("message")))
        return said

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """Return an object, or None where there is none."""
        try:
            return self.request("GET", _path(kind, namespace, name))
        except RefusedError as error:
            if error.status == 404:
                return None
            raise

    def listed(self, kind: str, namespace: str, selector: str = "") -> list[Object]:
        """Return the objects of a kind that have the selector's labels."""
        answer = self.request("GET", _path(kind, namespace), labelSelector=selector)
        items: list[Object] = answer["items"]
        return items

    def create(self, kind: str, namespace: str, body: Object) -> Object:
        """Create one object; return what the API server made of it."""
        return self.request("POST", _path(kind, namespace), body)

    def patch(self, kind: str, namespace: str, name: str, body: Object) -> None:
        """Merge `body` into an object."""
        self.request("PATCH", _path(kind, namespace, name), body)

    def delete(self, kind: str, namespace: str, name: str, **query: str) -> None:
        """Delete an object; harmless where there is none."""
        try:
            self.request("DELETE", _path(kind, namespace, name), **query)
        except RefusedError as error:
            if error.status not in _FORGOTTEN:
                raise

    def logs(self, namespace: str, pod: str, container: str) -> str:
        """Return what a container wrote, as `kubectl logs POD -c CONTAINER` shows it."""
        return self.kubectl("logs", f"--namespace={namespace}", pod, f"--container={container}")

    def kubectl(self, *argv: str, objects: list[Object] | None = None) -> str:
        """Run kubectl, with `objects` as its input; return what it prints."""
        done = subprocess.run(
            self.argv(*argv),
            input=yaml.safe_dump_all(objects or []),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"kubectl {' '.join(argv)}: {done.stderr}"
        return done.stdout

    def argv(self, *argv: str) -> list[str]:
        """Return the command line of kubectl for this cluster."""
        return [self._kubectl, f"--kubeconfig={self._kubeconfig}", *argv]

    @contextmanager
    def namespace(self, name: str, labels: dict[str, str] | None = None) -> Iterator[str]:
        """Make a namespace in which pods can be made; remove it afterwards."""
        metadata = {"name": name, "labels": labels or {}}
        self.create("namespaces", "", {"metadata": metadata})
        try:
            account = lambda: self.get("serviceaccounts", name, "default")  # noqa: E731
            until("the namespace's account", account)
            yield name
        finally:
            self.delete("namespaces", "", name)


def cluster_of(kubeconfig: Path) -> Cluster:
    """Return a cluster by its kubeconfig, beside which its own kubectl may stand."""
    beside = kubeconfig.parent / "kubectl"
    return Cluster(kubeconfig, str(beside) if beside.exists() else "kubectl")


def until(
    what: str,
    look: Callable[[], T | None],
    seconds: float = PATIENCE_SECONDS,
    tell: Callable[[], str] = str,
    pause: float = _PAUSE_SECONDS,
) -> T:
    """Look until there is something to see, and return it; fail when patience has run out.

    `tell` says then how things stand.
    """
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds:.0f} s for {what}\n{tell()}", pytrace=False)
        time.sleep(pause)
    return seen


def _path(kind: str, namespace: str, name: str = "") -> str:
    place = f"/namespaces/{namespace}" if namespace else ""
    return f"{_GROUPS[kind]}{place}/{kind}" + (f"/{name}" if name else "")
