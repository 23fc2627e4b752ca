"""Waits until a change has its effect in the cluster, and says what keeps it from that."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from api.documents import mapping_at, mappings_at, text_at
from api.errors import RemoteError
from api.types import JsonObject
from kube.cluster import Cluster, Kind, Ref, Scope
from trialwatch.migration import installed_names as names
from trialwatch.migration.cluster_survey import found_at
from trialwatch.migration.survey import is_ready

_POD: Final = Kind(api_version="v1", kind="Pod")
_SLICE: Final = Kind(api_version="discovery.k8s.io/v1", kind="EndpointSlice")
_OF_SERVICE: Final = "kubernetes.io/service-name"
_LOOK_SECONDS: Final = 0.5
Missing = Callable[[], Awaitable[str]]
"""Returns what is missing, or ""."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What a migration waits for, in Katib's namespace."""

    cluster: Cluster
    namespace: str
    patience: float
    """Seconds for each thing waited for."""
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def until(self, what: str, missing: Missing) -> None:
        """Look until nothing is missing.

        Raises:
            RemoteError: patience has run out; the message has what is missing.
        """
        waited = 0.0
        while lack := await missing():
            if waited >= self.patience:
                raise RemoteError(
                    f"waited {self.patience:.0f} s for {what}: {lack}; correct it and give the same"
                    " command again, or go back by --back"
                )
            await self.pause(_LOOK_SECONDS)
            waited += _LOOK_SECONDS

    async def ready(self, name: str) -> None:
        """Wait until a Deployment is ready. Raises RemoteError as `until`."""

        async def missing() -> str:
            deployment = await self._deployment(name)
            if not deployment:
                return f"{name} does not exist"
            return "" if is_ready(deployment) else await self._state(deployment)

        await self.until(f"the Deployment {name} to be ready", missing)

    async def gone(self, name: str) -> None:
        """Wait until a Deployment has no pods. Raises RemoteError as `until`."""
        deployment = await self._deployment(name)

        async def left() -> str:
            return ", ".join(
                text_at(pod, "metadata", "name") for pod in await self._pods(deployment)
            )

        await self.until(f"the pods of {name} to go", left)

    async def led_to(self, service: Ref, deployment: str) -> None:
        """Wait until a Service leads to a Deployment's pods only. Raises RemoteError as `until`."""
        scope = Scope(_SLICE, self.namespace, labels={_OF_SERVICE: service.name})

        async def others() -> str:
            slices = (await self.cluster.list(scope)).items
            ends = [end for one in slices for end in mappings_at(one, "endpoints")]
            pods = {text_at(end, "targetRef", "name") for end in ends}
            if pods and all(pod.startswith(f"{deployment}-") for pod in pods):
                return ""
            return f"it leads to {', '.join(sorted(pods)) or 'no pod'}"

        await self.until(f"the Service {service.name} to lead to {deployment}", others)

    async def _deployment(self, name: str) -> JsonObject:
        return await found_at(self.cluster, names.deployment(self.namespace, name)) or {}

    async def _pods(self, deployment: JsonObject) -> tuple[JsonObject, ...]:
        labels = mapping_at(deployment, "spec", "selector", "matchLabels")
        wanted = {key: str(text) for key, text in labels.items()}
        return (await self.cluster.list(Scope(_POD, self.namespace, labels=wanted))).items

    async def _state(self, deployment: JsonObject) -> str:
        """Return what keeps a Deployment from being ready; never empty."""
        waiting = [
            f"pod {text_at(pod, 'metadata', 'name')}: {reason}"
            for pod in await self._pods(deployment)
            for status in mappings_at(pod, "status", "containerStatuses")
            if (reason := text_at(status, "state", "waiting", "reason"))
        ]
        return "; ".join([*waiting, f"see `kubectl -n {self.namespace} describe deployment,pod`"])
