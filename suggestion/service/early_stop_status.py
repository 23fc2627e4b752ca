"""Writes into a Trial's status, on Kubernetes, that a stop rule has stopped the trial."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from api.early_stopping import early_stop_condition
from api.errors import SetupError, Unavailable, UserError
from api.objects.metadata import API_VERSION, render_condition
from api.types import ConditionStatus, ConditionType, JsonObject
from kube.cluster import Cluster, Ref, version_of
from kube.connect import connected, own_namespace
from kube.errors import Conflict, Forbidden, NotFound

_MOST_WRITES: Final = 5
"""The controller writes the same status; after a conflict the trial is read again."""


def _now() -> datetime:
    return datetime.now(UTC)


class EarlyStopStatus:
    """The trials of a cluster; each write connects to the cluster anew."""

    def __init__(
        self,
        kubeconfig: Path | None,
        namespace: str | None,
        now: Callable[[], datetime] = _now,
    ) -> None:
        """Make it.

        Args:
            kubeconfig: how to reach the cluster; None: the cluster in which the program runs.
            namespace: of trials without a namespace; None: the namespace of the program's pod.
            now: the time of the condition.
        """
        self._kubeconfig, self._namespace, self._now = kubeconfig, namespace, now

    async def mark(self, namespace: str, trial: str) -> None:
        """Add the condition EarlyStopped; a trial that has ended stays as it is.

        Raises:
            SetupError: there is no cluster to write to, or it forbids the write.
            UserError: there is no such trial.
            Unavailable: the cluster did not answer, or other writers changed the trial each time.
        """
        ref = Ref(
            api_version=API_VERSION,
            kind="Trial",
            namespace=namespace or self._namespace or own_namespace(),
            name=trial,
        )
        try:
            async with connected(self._kubeconfig) as cluster:
                await mark_early_stopped(cluster, ref, self._now)
        except NotFound:
            raise UserError(f"trial_name: there is no trial {ref.namespace}/{trial}") from None
        except SetupError as error:
            rights = "; allow get on trials and patch on trials/status"
            raise SetupError(
                f"cannot mark trial {ref.namespace}/{trial} as stopped early: {error}"
                f"{rights if isinstance(error, Forbidden) else ''}"
            ) from None


async def mark_early_stopped(cluster: Cluster, trial: Ref, now: Callable[[], datetime]) -> None:
    """Add the condition EarlyStopped to a trial that has not ended.

    Raises:
        NotFound: there is no such trial.
        Unavailable: other writers changed the trial each time.
    """
    for _ in range(_MOST_WRITES):
        patch = _patch_of(await cluster.get(trial), now())
        if patch is None:
            return
        try:
            await cluster.patch(trial, patch, status=True)
        except Conflict:
            continue
        return
    name = f"{trial.namespace}/{trial.name}"
    raise Unavailable(f"other writers changed trial {name} at each of {_MOST_WRITES} attempts")


def _patch_of(document: JsonObject, now: datetime) -> JsonObject | None:
    status: Any = document.get("status") or {}
    conditions = list(status.get("conditions") or ())
    true = {one["type"] for one in conditions if one["status"] == ConditionStatus.TRUE}
    stopped = early_stop_condition(true, now.strftime("%Y-%m-%dT%H:%M:%SZ"))
    if stopped is None:
        return None
    others = [one for one in conditions if one["type"] != ConditionType.EARLY_STOPPED]
    return {
        # The cluster refuses the patch if another writer has changed the trial since.
        "metadata": {"resourceVersion": version_of(document)},
        "status": {"conditions": [*others, render_condition(stopped)]},
    }
