"""The acts of a migration, as values. Each may be repeated, and then changes nothing more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from trialwatch.migration.katib_config import Stage


@dataclass(frozen=True, slots=True)
class Save:
    """Keep what a way back needs, unless it is kept already."""


@dataclass(frozen=True, slots=True)
class Apply:
    """Apply a kustomization of the folder."""

    folder: str


@dataclass(frozen=True, slots=True)
class ApplyBeside:
    """Apply a kustomization, unless a Deployment of it serves already."""

    folder: str
    deployment: str


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete the objects of a kustomization."""

    folder: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Scale a Deployment to nothing, and wait until its pods are gone."""

    deployment: str


@dataclass(frozen=True, slots=True)
class Start:
    """Give a Deployment the replicas that it had, and wait until they are ready."""

    deployment: str


@dataclass(frozen=True, slots=True)
class Ready:
    """Wait until a Deployment is ready."""

    deployment: str


@dataclass(frozen=True, slots=True)
class Lead:
    """Let the Service of the DB manager lead to a Deployment's pods, and wait until it does."""

    deployment: str
    ours: bool
    """Whether it is trialwatch's."""


@dataclass(frozen=True, slots=True)
class Configure:
    """Write katib-config as it is at a stage."""

    stage: Stage


@dataclass(frozen=True, slots=True)
class SetAside:
    """Let entries of Katib's webhook configurations match nothing, or what Katib wrote."""

    entries: tuple[str, ...]
    aside: bool


@dataclass(frozen=True, slots=True)
class RestoreDefinitions:
    """Give the three CRDs the text that they had."""


@dataclass(frozen=True, slots=True)
class CompleteSuggestions:
    """Write the suggestions of running experiments that trialwatch no longer keeps."""


@dataclass(frozen=True, slots=True)
class Deregister:
    """Delete trialwatch's webhook configuration for pods."""


@dataclass(frozen=True, slots=True)
class TryPod:
    """See by a dry run that a pod gets trialwatch's collector."""


@dataclass(frozen=True, slots=True)
class Forget:
    """Delete what was saved."""


Act: TypeAlias = (
    Save
    | Apply
    | ApplyBeside
    | Remove
    | Stop
    | Start
    | Ready
    | Lead
    | Configure
    | SetAside
    | RestoreDefinitions
    | CompleteSuggestions
    | Deregister
    | TryPod
    | Forget
)
