"""Writes into a Trial's status, on Kubernetes, that it was stopped early."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import kubernetes.client
import kubernetes.config
import urllib3.exceptions
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException

from api.errors import RemoteError, SetupError, Unavailable, UserError
from api.types import ConditionType

_config: Any = kubernetes.config  # its functions have no types
_OWN_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_KIND: Final = ("kubeflow.org", "v1beta1")
_Where = tuple[str, str, str, str, str]
_SECONDS: Final = 20.0
_TRIES: Final = 5
"""The controller writes the same status; whoever comes second reads it again."""
_ENDS: Final = {
    ConditionType.EARLY_STOPPED,
    ConditionType.FAILED,
    ConditionType.KILLED,
    ConditionType.METRICS_UNAVAILABLE,
    ConditionType.SUCCEEDED,
}
"""A trial has one end, and the first one stays."""


def _now() -> datetime:
    return datetime.now(UTC)


class TrialMarks:
    """The trials of a cluster, which is looked for when one is marked."""

    def __init__(
        self,
        kubeconfig: Path | None,
        namespace: str | None,
        now: Callable[[], datetime] = _now,
    ) -> None:
        """`namespace` is that of trials whose own is not told; None: the one that we run in."""
        self._kubeconfig, self._namespace, self._now = kubeconfig, namespace, now

    async def mark(self, namespace: str, trial: str) -> None:
        """Add the condition EarlyStopped; a trial that has ended, in whatever way, stays as it is.

        Raises:
            SetupError: there is no cluster to write to, or it forbids it.
            UserError: there is no such trial.
            Unavailable: the cluster did not answer, or others wrote all the time.
        """
        there = namespace or self._namespace or _own_namespace()
        await asyncio.to_thread(self._mark, there, trial)

    def _mark(self, namespace: str, trial: str) -> None:
        with self._client() as client:
            api = kubernetes.client.CustomObjectsApi(client)
            where = (*_KIND, namespace, "trials", trial)
            for _ in range(_TRIES):
                try:
                    self._add(api, where)
                except ApiException as error:
                    if error.status != HTTPStatus.CONFLICT:
                        raise _explained(error, namespace, trial) from None
                except urllib3.exceptions.HTTPError as error:
                    why = f"Kubernetes did not answer for trial {namespace}/{trial}: {error}"
                    raise Unavailable(why) from None
                else:
                    return
        raise Unavailable(f"others kept writing to trial {namespace}/{trial}; ask again")

    def _add(self, api: kubernetes.client.CustomObjectsApi, where: _Where) -> None:
        found: Any = api.get_namespaced_custom_object(*where, _request_timeout=_SECONDS)
        conditions = list(found.get("status", {}).get("conditions") or [])
        if any(c["type"] in _ENDS and c["status"] == "True" for c in conditions):
            return
        conditions = [c for c in conditions if c["type"] != ConditionType.EARLY_STOPPED]
        moment = self._now().strftime("%Y-%m-%dT%H:%M:%SZ")
        stopped = {
            "type": ConditionType.EARLY_STOPPED.value,
            "status": "True",
            "reason": "TrialEarlyStopped",
            "message": "Trial is early stopped",
            "lastUpdateTime": moment,
            "lastTransitionTime": moment,
        }
        # With the version that was read: a status that another has changed since is refused.
        version = found["metadata"]["resourceVersion"]
        patch = {
            "metadata": {"resourceVersion": version},
            "status": {"conditions": [*conditions, stopped]},
        }
        api.patch_namespaced_custom_object_status(*where, patch, _request_timeout=_SECONDS)

    def _client(self) -> Any:  # noqa: ANN401 - the package has no types
        try:
            if self._kubeconfig is not None:
                return _config.new_client_from_config(str(self._kubeconfig))
            configuration = kubernetes.client.Configuration()
            _config.load_incluster_config(configuration)
        except (ConfigException, OSError) as error:
            raise SetupError(
                f"trials cannot be marked as stopped: {error}; run in a cluster, or give"
                " --kubeconfig FILE"
            ) from None
        return kubernetes.client.ApiClient(configuration)


def _own_namespace() -> str:
    try:
        return _OWN_NAMESPACE.read_text(encoding="utf-8").strip() or "default"
    except OSError:
        return "default"


def _explained(error: ApiException, namespace: str, trial: str) -> Exception:
    if error.status == HTTPStatus.NOT_FOUND:
        return UserError(f"trial_name: there is no trial {namespace}/{trial}")
    if error.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return SetupError(
            f"Kubernetes forbids to mark trial {namespace}/{trial} ({error.reason}); allow get on"
            " trials and patch on trials/status"
        )
    kind = Unavailable if (error.status or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR else RemoteError
    return kind(f"Kubernetes did not mark trial {namespace}/{trial}: {error.status} {error.reason}")
