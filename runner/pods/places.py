"""Where a pod's volumes are on this machine, and how a container comes to them.

A trainer opens `/katib/mnist.log` because its Experiment says so, so a directory of the pod has to
stand at that very path, for this container alone. Two ways lead there:

| the kernel allows a mount namespace | how | the trainer's command |
|---|---|---|
| yes (root, or user namespaces) | the directory is mounted at the path | stays as it is |
| no | the path is written anew in command, args and the pod's own variables | changed |

The run directory of launcher and collector is never mounted: only our own flags name it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from posixpath import normpath

from api.errors import UserError
from api.names import RUN_DIR, RUN_VOLUME
from runner.pods.documents import Container, HostPath, Pod


@dataclass(frozen=True, slots=True, kw_only=True)
class Bind:
    """One directory (or file) of this machine at a path of the container."""

    source: str
    target: str
    read_only: bool = False


def binds_of(container: Container, pod: Pod, folder: str) -> tuple[Bind, ...]:
    """Return the container's mounts, outer ones first; `folder` has the pod's own volumes.

    Raises:
        UserError: a volume is not there.
    """
    binds = []
    for mount in container.mounts:
        if mount.volume == RUN_VOLUME:
            continue
        volume = pod.volumes.get(mount.volume)
        if volume is None:
            raise UserError(
                f"container {container.name} mounts volume {mount.volume}, and the pod has none"
                " of that name; add it to spec.volumes"
            )
        base = volume.path if isinstance(volume, HostPath) else f"{folder}/{mount.volume}"
        source = normpath(f"{base}/{mount.sub_path}")
        target = "/" + normpath(mount.path).lstrip("/")
        if source != target:
            binds.append(Bind(source=source, target=target, read_only=mount.read_only))
    return tuple(sorted(binds, key=lambda bind: bind.target.count("/")))


def run_dir_written(words: Sequence[str], run_dir: str) -> tuple[str, ...]:
    """Write the run directory's place on this machine into our own flags."""
    return tuple(_written(word, {RUN_DIR: run_dir}) for word in words)


def written(words: Sequence[str], binds: Sequence[Bind]) -> tuple[str, ...]:
    """Write the places of volumes into words, for want of mounts."""
    places = {bind.target: bind.source for bind in binds}
    return tuple(_written(word, places) for word in words)


def unreachable(words: Sequence[str], binds: Sequence[Bind]) -> tuple[Bind, ...]:
    """Return the mounts whose path no word names: what is done there cannot be led elsewhere."""
    text = "\0".join(words)
    return tuple(bind for bind in binds if not _pattern([bind.target]).search(text))


def _written(word: str, places: Mapping[str, str]) -> str:
    if not places:
        return word
    return _pattern(places).sub(lambda found: places[found[0]], word)


def _pattern(paths: Sequence[str] | Mapping[str, str]) -> re.Pattern[str]:
    """Match paths as whole names: `/data` neither in `/data2` nor in `/my/data`."""
    longest_first = sorted(paths, key=len, reverse=True)
    inner = "|".join(re.escape(path) for path in longest_first)
    return re.compile(rf"(?<![\w./-])(?:{inner})(?![\w.-])")
