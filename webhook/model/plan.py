"""The change of a pod, as a value that states all of it: `webhook.pods.mutate` carries it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from api.types import JsonObject
from webhook.model.lookups import ImageLookup


class SidecarPosition(StrEnum):
    """Where a collector's container stands in the pod."""

    NATIVE = "native"
    """The last init container, with `restartPolicy: Always`; Kubernetes 1.29 and later."""
    FIRST = "first"
    """The first ordinary container, so that it starts before the trainer."""
    LAST = "last"
    """The last ordinary container, where Katib puts its collector."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The change of one pod."""

    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    """An annotation that the pod already has keeps its value."""
    own_annotations: Mapping[str, str] = field(default_factory=dict)
    """These replace annotations that the pod already has."""
    trainer: str = ""
    """The container that trains; empty: only labels and annotations change."""
    wrapper: tuple[str, ...] = ()
    """The launcher's words in front of the trainer's command, ended by `--`; empty: no launcher."""
    command: tuple[str, ...] | None = None
    """The trainer's command if the pod has none and its image has one."""
    env: tuple[JsonObject, ...] = ()
    """Variables of the trainer; they replace variables of the same name."""
    env_defaults: tuple[JsonObject, ...] = ()
    """Variables of the trainer; a variable that is already set keeps its value."""
    mounts: tuple[JsonObject, ...] = ()
    """Added to the trainer."""
    volumes: tuple[JsonObject, ...] = ()
    """Added to the pod if it has no volume of that name."""
    collector: JsonObject | None = None
    """The sidecar."""
    custom: JsonObject | None = None
    """A second collector, the trial's own, which becomes the last ordinary container."""
    position: SidecarPosition = SidecarPosition.NATIVE
    image_lookup: ImageLookup | None = None
    """Set: the plan is not complete. Look this up, then decide again with `PodContext.image`."""
