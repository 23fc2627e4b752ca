"""How the collector reaches the trainer's metrics file: through a volume that both mount.

| what the trainer's container mounts at the file's directory | what is done |
|---|---|
| nothing | both mount an emptyDir, `metrics-volume`, at the directory, as in Katib |
| an emptyDir, at the directory or above | the collector mounts it too |
| another volume, above the directory | both mount `metrics-volume`: no file is shared by trials |
| another volume, at the directory | the collector mounts it too; other pods may write to it |
| a read-only volume, at the directory | refused: the trainer cannot write |
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from api.faults import quoted
from api.names import METRICS_VOLUME, RUN_DIR, TOKEN_DIR
from api.types import JsonObject, PathKind
from webhook.model.pods import Container, Mount, Pod
from webhook.model.reasons import Reason
from webhook.model.verdicts import PodRefused

_READ_ONLY = ("configMap", "secret", "downwardAPI", "projected", "image")
_KERNEL_DIRECTORIES = ("/dev", "/proc", "/sys")
_ELSEWHERE = "write the file to another directory"
_VOLUME: JsonObject = {"name": METRICS_VOLUME, "emptyDir": {}}


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedDirectory:
    """The mounts and volumes through which trainer and collector share a directory."""

    trainer: tuple[JsonObject, ...]
    """Mounts to add to the trainer."""
    collector: tuple[JsonObject, ...]
    """Mounts of the collector."""
    volumes: tuple[JsonObject, ...]
    """Volumes to add to the pod."""
    others_write: bool = False
    """Whether other pods may write to the volume."""


NOTHING_SHARED = SharedDirectory(trainer=(), collector=(), volumes=())


def directory_of(path: str, kind: PathKind | None) -> str:
    """Return the directory to share for `path`: the path itself, or the directory of a file.

    Raises:
        PodRefused: no volume can be mounted there.
    """
    directory = path if kind is PathKind.DIRECTORY else posixpath.dirname(path)
    # normpath keeps two leading slashes, because POSIX allows a special meaning for them.
    directory = "/" + posixpath.normpath(directory).lstrip("/")
    if not path.startswith("/") or "\0" in path:
        raise _unreachable(path, "write an absolute path")
    if kind is not PathKind.DIRECTORY and path.endswith("/"):
        raise _unreachable(path, "write the path of a file, not of a directory")
    if directory == "/":
        raise _unreachable(path, f"no volume can be mounted at /; {_ELSEWHERE}")
    if _within(directory, _KERNEL_DIRECTORIES):
        raise _unreachable(path, f"the kernel owns it; {_ELSEWHERE}, or use kind StdOut")
    for own in (RUN_DIR, TOKEN_DIR):
        if _within(directory, (own,)):
            raise _unreachable(path, f"trialwatch owns {own}; {_ELSEWHERE}")
    if ":" in directory:
        raise _unreachable(path, f"the path of a volume must not contain `:`; {_ELSEWHERE}")
    return directory


def share_directory(
    directory: str, pod: Pod, trainer: Container, mounts: tuple[Mount, ...]
) -> SharedDirectory:
    """Share a directory; `mounts` are the trainer's, with those that the plan adds.

    Raises:
        PodRefused: the trainer mounts a volume there that cannot be shared, or the volume's name
            is taken.
    """
    over = max(
        (mount for mount in mounts if _within(directory, (_mount_path(mount),))),
        key=lambda mount: len(_mount_path(mount)),
        default=None,
    )
    volume = pod.volumes.get(over.volume, {}) if over else {}
    private = "emptyDir" in volume
    if over is None or (_mount_path(over) != directory and not (private and _usable(over, volume))):
        return _own_volume(directory, pod)
    if not _usable(over, volume):
        why = (
            f"container {trainer.name} mounts volume {over.volume} at {directory} read-only or with"
            f" subPathExpr; {_ELSEWHERE}"
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
        why = f"its volume {METRICS_VOLUME} is not an emptyDir; rename the volume"
        raise PodRefused(Reason.NAME_TAKEN, why)
    mount: JsonObject = {"name": METRICS_VOLUME, "mountPath": directory}
    return SharedDirectory(
        trainer=(mount,), collector=({**mount, "readOnly": True},), volumes=(_VOLUME,)
    )


def _usable(mount: Mount, volume: JsonObject) -> bool:
    """Return whether the trainer can write there, and the collector can mount the same path."""
    writable = not mount.read_only and not any(kind in volume for kind in _READ_ONLY)
    return writable and not mount.by_expression


def _mount_path(mount: Mount) -> str:
    return "/" + posixpath.normpath(mount.path).lstrip("/")


def _within(directory: str, paths: tuple[str, ...]) -> bool:
    return any(f"{directory}/".startswith(f"{path.rstrip('/')}/") for path in paths)


def _unreachable(path: str, remedy: str) -> PodRefused:
    return PodRefused(Reason.FILE_UNREACHABLE, f"{quoted(path)}: {remedy}")
