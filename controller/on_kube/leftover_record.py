"""The record of metrics that must be deleted later: an annotation of a Lease of its own.

A Lease, because the controller may write Leases in its own namespace, and no other objects there.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Final

from api import names
from api.documents import text_at
from api.errors import TrialwatchError, Unavailable
from api.types import JsonObject
from controller.driver.ports import RecordedTrial
from kube.cluster import Cluster, Ref
from kube.errors import NotFound
from kube.leader_election import LEASE_API
from serving.logs import get_logger

_log = get_logger(__name__)
ANNOTATION: Final = "trialwatch.dev/leftover-rows"
NAME: Final = f"{names.OWN_CONTROLLER}-leftover-rows"
_MOST_BYTES: Final = 200_000
"""The API server takes 256 KiB of annotations; the newest trials are recorded."""


class ClusterLeftoverRecord:
    """Reads and writes the annotation. Only the leader writes it."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster = cluster
        self._ref = Ref(api_version=LEASE_API, kind="Lease", namespace=namespace, name=NAME)
        self._writing = asyncio.Lock()
        self._written = ""

    async def read(self) -> Sequence[RecordedTrial]:
        """Return the recorded trials; what another program has written there is ignored.

        Raises:
            Unavailable: the Lease cannot be read.
        """
        try:
            document = await self._document()
        except TrialwatchError as error:
            raise Unavailable(str(error)) from error
        try:
            entries = json.loads(text_at(document, "metadata", "annotations", ANNOTATION) or "[]")
            return [
                RecordedTrial(namespace=str(namespace), name=str(name), uid=str(uid))
                for namespace, name, uid in entries
            ]
        except (ValueError, TypeError):
            return []

    async def write(self, trials: Sequence[RecordedTrial]) -> None:
        """Replace the recorded trials, one write after the other; log why one fails."""
        async with self._writing:
            text = _text(trials)
            if text == self._written:
                return
            try:
                await self._write(text)
                self._written = text
            except TrialwatchError as error:
                _log.warning("cannot record which metrics must be deleted", cause=str(error))

    async def _write(self, text: str) -> None:
        document = await self._document()
        metadata: JsonObject = document.get("metadata") or {}  # type: ignore[assignment]  # an object
        annotations = {**(metadata.get("annotations") or {}), ANNOTATION: text}  # type: ignore[dict-item]  # the same
        wanted: JsonObject = {
            "apiVersion": LEASE_API,
            "kind": "Lease",
            **document,
            "metadata": {
                "name": self._ref.name,
                "namespace": self._ref.namespace,
                **metadata,
                "annotations": annotations,
            },
        }
        await (self._cluster.replace(wanted) if document else self._cluster.create(wanted))

    async def _document(self) -> JsonObject:
        try:
            return await self._cluster.get(self._ref)
        except NotFound:
            return {}


def _text(trials: Sequence[RecordedTrial]) -> str:
    entries: list[str] = []
    size = 0
    for one in reversed(trials):
        entries.append(json.dumps([one.namespace, one.name, one.uid]))
        size += len(entries[-1]) + 2
        if size > _MOST_BYTES:
            break
    return f"[{', '.join(reversed(entries))}]"
