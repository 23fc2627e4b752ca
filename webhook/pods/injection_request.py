"""The input of a plan: one pod that gets a collector, and all that is known about it."""

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
    """One pod, what to collect from it, and the settings."""

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
        """Whether the trainer writes its metrics to a file (collector kind File)."""
        return self.collection.kind is CollectorKind.FILE

    @property
    def events(self) -> bool:
        """Whether it writes them to event files (collector kind TensorFlowEvent)."""
        return self.collection.kind is CollectorKind.TENSORFLOW_EVENT

    @property
    def in_files(self) -> bool:
        """Whether the collector needs a volume that the trainer writes to."""
        return self.file or self.events

    @property
    def drain(self) -> int:
        """Seconds that the trainer's container waits at its end until all metrics are stored."""
        chosen = self.settings.drain_seconds
        return self.config.drain_seconds if chosen is None else chosen
