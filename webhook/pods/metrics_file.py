"""How a trainer's metrics file comes within reach of the collector: over a volume that both mount.

| what the trainer's container has at the file's directory | what is done |
|---|---|
| no volume | an emptyDir, `metrics-volume`, at that directory in both, as Katib does |
| an emptyDir, there or above | the collector mounts it, too |
| a volume of another kind, above | `metrics-volume` at the directory: no other trial's file |
| a volume of another kind, right there | the collector mounts it, too; other pods may write to it |
| a read-only volume, right there | refused: the trainer could not write |
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from api.faults import quoted
from api.names import METRICS_VOLUME, RUN_DIR
from api.types import JsonObject, PathKind
from webhook.model.pods import Container, Mount, Pod
from webhook.model.reasons import Reason
from webhook.model.verdicts import PodRefused

_READ_ONLY = ("configMap", "secret", "downwardAPI", "projected", "image")
_OF_THE_KERNEL = ("/dev", "/proc", "/sys")
_VOLUME: JsonObject = {"name": METRICS_VOLUME, "emptyDir": {}}


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedDirectory:
    """What is to be mounted where."""

    trainer: tuple[JsonObject, ...]
    """Mounts that the trainer lacks."""
    collector: tuple[JsonObject, ...]
    """Mounts for the collector."""
    volumes: tuple[JsonObject, ...]
    others_write: bool = False
    """The volume may be another pod's as well."""


NOTHING_SHARED = SharedDirectory(trainer=(), collector=(), volumes=())


def directory_of(path: str, kind: PathKind | None) -> str:
    """Return the directory that must be shared for a file, or for a directory.

    Raises:
        Refused: it cannot be a volume.
    """
    directory = path if kind is PathKind.DIRECTORY else posixpath.dirname(path)
    # normpath keeps two leading slashes, which POSIX leaves a meaning of their own.
    directory = "/" + posixpath.normpath(directory).lstrip("/")
    if not path.startswith("/") or "\0" in path:
        raise _unreachable(path, "write its path from / on")
    if kind is not PathKind.DIRECTORY and path.endswith("/"):
        raise _unreachable(path, "name a file, not a directory")
    if directory == "/":
        raise _unreachable(path, "a volume cannot be put over /; write it to a directory")
    if _within(directory, _OF_THE_KERNEL):
        raise _unreachable(path, "this is no directory for files; for standard output take StdOut")
    if _within(directory, (RUN_DIR,)):
        raise _unreachable(path, f"{RUN_DIR} belongs to trialwatch; write it elsewhere")
    if ":" in directory:
        raise _unreachable(path, "a volume's path cannot have a `:`; write it elsewhere")
    return directory


def share_directory(
    directory: str, pod: Pod, trainer: Container, mounts: tuple[Mount, ...]
) -> SharedDirectory:
    """Say how a directory is shared; `mounts` are the trainer's, with those to be added.

    Raises:
        Refused: it cannot be.
    """
    over = max(
        (mount for mount in mounts if _within(directory, (_place(mount),))),
        key=lambda mount: len(_place(mount)),
        default=None,
    )
    volume = pod.volumes.get(over.volume, {}) if over else {}
    private = "emptyDir" in volume
    if over is None or (_place(over) != directory and not (private and _usable(over, volume))):
        return _own_volume(directory, pod)
    if not _usable(over, volume):
        why = (
            f"the container {trainer.name} mounts volume {over.volume} at {directory} read-only"
            " or by subPathExpr; write the file to another directory"
        )
        raise PodRefused(Reason.FILE_UNREACHABLE, why)
    return SharedDirectory(
        trainer=(),
        collector=({**over.document, "readOnly": True},),
        volumes=(),
        others_write=not private,
    )


def _own_volume(directory: str, pod: Pod) -> SharedDirectory:
    if "emptyDir" not in pod.volumes.get(METRICS_VOLUME, _VOLUME):
        why = f"the volume {METRICS_VOLUME} of the pod is no emptyDir; give it another name"
        raise PodRefused(Reason.NAME_TAKEN, why)
    mount: JsonObject = {"name": METRICS_VOLUME, "mountPath": directory}
    return SharedDirectory(
        trainer=(mount,), collector=({**mount, "readOnly": True},), volumes=(_VOLUME,)
    )


def _usable(mount: Mount, volume: JsonObject) -> bool:
    """Tell whether the trainer can write there, and the collector mount the same place."""
    writable = not mount.read_only and not any(kind in volume for kind in _READ_ONLY)
    return writable and not mount.by_expression


def _place(mount: Mount) -> str:
    return "/" + posixpath.normpath(mount.path).lstrip("/")


def _within(directory: str, places: tuple[str, ...]) -> bool:
    return any(f"{directory}/".startswith(f"{place.rstrip('/')}/") for place in places)


def _unreachable(path: str, remedy: str) -> PodRefused:
    return PodRefused(Reason.FILE_UNREACHABLE, f"{quoted(path)}: {remedy}")
