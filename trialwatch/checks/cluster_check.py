"""Lets the API server of a cluster check objects, without storing them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from api.documents import mapping_at, text_at
from api.errors import Fault, SetupError
from api.types import JsonObject
from kube.client import KubernetesCluster
from kube.connect import connected, context_of, own_namespace
from kube.errors import Invalid, NotFound, UnknownKind
from trialwatch.checks.validity import ServerAnswer


class ClusterCheck:
    """`trialwatch.checks.validity.ServerCheck` of one cluster."""

    def __init__(self, kubeconfig: Path | None, context: str, namespace: str) -> None:
        """Choose the cluster as kubectl would; `namespace` is for objects without one."""
        self._kubeconfig, self._context = kubeconfig, context
        if kubeconfig is None:
            self.place, usual = "this pod's cluster", own_namespace()
        else:
            chosen = context_of(kubeconfig, context)
            self.place, usual = f"the context {chosen.name}", chosen.namespace
        self._namespace = namespace or usual

    def answers(self, documents: Sequence[JsonObject]) -> list[ServerAnswer]:
        """Send each object to the API server, as if it were created or replaced.

        Raises:
            SetupError: the account has no right to create them, or the cluster lacks Katib's kinds.
            Unavailable: the server does not answer.
        """
        return asyncio.run(self._answers(documents))

    async def _answers(self, documents: Sequence[JsonObject]) -> list[ServerAnswer]:
        async with connected(self._kubeconfig, self._context) as cluster:
            return [await self._answer(cluster, document) for document in documents]

    async def _answer(self, cluster: KubernetesCluster, document: JsonObject) -> ServerAnswer:
        metadata = mapping_at(document, "metadata")
        namespace = text_at(metadata, "namespace") or self._namespace
        placed = {**document, "metadata": {**metadata, "namespace": namespace}}
        try:
            return ServerAnswer(warnings=await cluster.dry_run(placed))
        except Invalid as error:
            return ServerAnswer(faults=error.causes or (Fault("document", str(error)),))
        except UnknownKind:
            raise SetupError(
                f"{self.place} does not have the kind {document.get('kind')}"
                f" ({document.get('apiVersion')}): install trialwatch (docs/install.md) there, or"
                " use another context with --context"
            ) from None
        except NotFound as error:
            return ServerAnswer(faults=(Fault("metadata.namespace", str(error)),))
