"""All that is known when a collector is to be planned for a pod."""

from __future__ import annotations

from dataclasses import dataclass

from api.types import CollectorKind
from webhook.model.config import Config, SidecarMode
from webhook.model.pods import Container, Pod
from webhook.model.verdicts import PodContext
from webhook.pods.annotations import AnnotationSettings
from webhook.pods.collection import Collection


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectionRequest:
    """One pod, and what is wanted of it."""

    pod: Pod
    trainer: Container
    collection: Collection
    settings: AnnotationSettings
    context: PodContext
    config: Config

    @property
    def native(self) -> bool:
        """Whether the collector is a native sidecar."""
        return self.config.sidecar is SidecarMode.NATIVE

    @property
    def file(self) -> bool:
        """Whether the metrics are in a file of the trainer's."""
        return self.collection.kind is CollectorKind.FILE

    @property
    def drain(self) -> int:
        """For how many seconds a finished trainer's container waits for the delivery."""
        chosen = self.settings.drain_seconds
        return self.config.drain_seconds if chosen is None else chosen
