"""What is to become of a pod, as a value that says everything: `mutate` only carries it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from api.types import JsonObject
from webhook.model.images import ImageWanted


class Place(StrEnum):
    """Where a collector goes."""

    NATIVE = "native"
    """The last init container, with `restartPolicy: Always`; Kubernetes 1.29 and later."""
    FIRST = "first"
    """The first ordinary container: it is started before the trainer."""
    LAST = "last"
    """The last ordinary container: where Katib puts one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The change of one pod."""

    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    """Set where they are not set already."""
    trainer: str = ""
    """The container that trains; where it is empty, only labels and annotations are set."""
    wrapper: tuple[str, ...] = ()
    """What goes before the trainer's command, `--` at its end; empty: the command stays."""
    command: tuple[str, ...] | None = None
    """The trainer's command, where it is not that of the pod but of its image."""
    env: tuple[JsonObject, ...] = ()
    """Set in the trainer, whatever was there."""
    env_defaults: tuple[JsonObject, ...] = ()
    """Set in the trainer where they are not set already."""
    mounts: tuple[JsonObject, ...] = ()
    """Added to the trainer."""
    volumes: tuple[JsonObject, ...] = ()
    """Added where there is none of that name."""
    collector: JsonObject | None = None
    """The sidecar."""
    place: Place = Place.NATIVE
    image_wanted: ImageWanted | None = None
    """The command of this image is needed: decide again with `ReviewFacts.image`, for this plan
    cannot be carried out."""
