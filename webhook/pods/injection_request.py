"""The input of a plan: one pod that gets a collector, and all that is known about it."""

from __future__ import annotations

from dataclasses import dataclass

from api import names
from api.reductions import PodReduction
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
    reduction: PodReduction | None = None
    """How the pods of the job become one series; None: all points of all pods count."""

    @property
    def native(self) -> bool:
        """Whether the collector is a native sidecar."""
        return self.config.sidecar is SidecarMode.NATIVE

    @property
    def path(self) -> str:
        """The file, or the directory of event files, to read; "" for the trainer's output.

        Kinds without a file of the user have one in the run directory: a shell may append to it.
        """
        match self.collection.kind:
            case CollectorKind.FILE | CollectorKind.TENSORFLOW_EVENT:
                return self.collection.path
            case CollectorKind.STDOUT:
                return ""
            case _:
                return f"{names.RUN_DIR}/{names.PUSH_FILE}"

    @property
    def events(self) -> bool:
        """Whether it writes them to event files (collector kind TensorFlowEvent)."""
        return self.collection.kind is CollectorKind.TENSORFLOW_EVENT

    @property
    def in_files(self) -> bool:
        """Whether the collector needs a volume that the trainer writes to."""
        return self.events or self.collection.kind is CollectorKind.FILE

    @property
    def reads_text(self) -> bool:
        """Whether the format and the patterns of the Trial are for what the collector reads."""
        return self.collection.kind in (CollectorKind.STDOUT, CollectorKind.FILE)

    @property
    def push_address(self) -> str:
        """Where the sidecar accepts metrics; "": it accepts none."""
        return f"127.0.0.1:{self.config.push_port}" if self.settings.push else ""

    @property
    def drain(self) -> int:
        """Seconds that the trainer's container waits at its end until all metrics are stored."""
        chosen = self.settings.drain_seconds
        return self.config.drain_seconds if chosen is None else chosen
