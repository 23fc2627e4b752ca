"""Where a pod's volumes are on this machine, and how a container gets them.

A trainer opens `/katib/mnist.log` because its Experiment says so. So a directory of the pod must be
at this path, for this container only. There are two ways:

| the kernel allows a mount namespace | method | the trainer's command |
|---|---|---|
| yes (root, or user namespaces) | the directory is mounted at the path | unchanged |
| no | the path is replaced in command, args and the pod's variables | changed |

The run directory of launcher and collector, and the collector's state directory, are never mounted:
only our own flags contain them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from posixpath import normpath

from api.errors import UserError
from api.names import RUN_DIR, RUN_VOLUME, STATE_DIR, STATE_VOLUME
from runner.pods.pod_spec import Container, HostPath, Pod


@dataclass(frozen=True, slots=True, kw_only=True)
class BindMount:
    """One directory (or file) of this machine at a path of the container."""

    source: str
    target: str
    read_only: bool = False


def binds_of(container: Container, pod: Pod, folder: str) -> tuple[BindMount, ...]:
    """Return the container's mounts, outer ones first; `folder` has the pod's own volumes.

    Raises:
        UserError: the pod has no such volume.
    """
    binds = []
    for mount in container.mounts:
        if mount.volume in (RUN_VOLUME, STATE_VOLUME):
            continue
        volume = pod.volumes.get(mount.volume)
        if volume is None:
            raise UserError(
                f"container {container.name} mounts volume {mount.volume}, but the pod has no"
                " volume of this name; add it to spec.volumes"
            )
        base = volume.path if isinstance(volume, HostPath) else f"{folder}/{mount.volume}"
        source = normpath(f"{base}/{mount.sub_path}")
        target = "/" + normpath(mount.path).lstrip("/")
        if source != target:
            binds.append(BindMount(source=source, target=target, read_only=mount.read_only))
    return tuple(sorted(binds, key=lambda bind: bind.target.count("/")))


def with_run_dir(words: Sequence[str], run_dir: str) -> tuple[str, ...]:
    """Replace the run directory in our own flags by its path on this machine.

    The collector's state is there too: trainer and collector run as the same user.
    """
    places = {RUN_DIR: run_dir, STATE_DIR: run_dir}
    return tuple(_replaced(word, places) for word in words)


def with_sources(words: Sequence[str], binds: Sequence[BindMount]) -> tuple[str, ...]:
    """Replace the paths of volumes in words, because mounts are not possible."""
    places = {bind.target: bind.source for bind in binds}
    return tuple(_replaced(word, places) for word in words)


def unmentioned(words: Sequence[str], binds: Sequence[BindMount]) -> tuple[BindMount, ...]:
    """Return the mounts whose path is in no word, so that it cannot be replaced."""
    text = "\0".join(words)
    return tuple(bind for bind in binds if not _pattern([bind.target]).search(text))


def _replaced(word: str, places: Mapping[str, str]) -> str:
    if not places:
        return word
    return _pattern(places).sub(lambda found: places[found[0]], word)


def _pattern(paths: Sequence[str] | Mapping[str, str]) -> re.Pattern[str]:
    """Match paths as whole names: `/data` neither in `/data2` nor in `/my/data`."""
    longest_first = sorted(paths, key=len, reverse=True)
    inner = "|".join(re.escape(path) for path in longest_first)
    return re.compile(rf"(?<![\w./-])(?:{inner})(?![\w.-])")
