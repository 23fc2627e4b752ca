"""The paths of the collector's own container, at which no volume of the trainer may be mounted.

The collector mounts the volume of the metrics file at the path where the trainer has it. At
`/usr/lib` or `/install` the trainer's files would be the collector's code, and at
`/var/run/secrets` its credentials.
"""

from __future__ import annotations

from collections.abc import Iterable
from posixpath import normpath

from api.faults import quoted
from api.names import RUN_DIR, STATE_DIR
from api.types import JsonObject
from webhook.model.reasons import Reason
from webhook.model.verdicts import PodRefused

_CODE = (
    *("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/install"),
    *("/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libx32"),
    *("/usr/libexec", "/usr/local/bin", "/usr/local/sbin", "/usr/local/lib", "/usr/local/lib64"),
    *("/opt/bin", "/opt/lib", "/opt/python", "/opt/venv", "/opt/conda", "/.local"),
)
"""Where Dockerfile.collector has code, and where other base images have Python."""
_OTHERS = ("/etc", "/dev", "/proc", "/sys", "/root", "/run/secrets", "/var/run/secrets")
_OWN = (*_CODE, *_OTHERS, RUN_DIR, STATE_DIR)
_ALIASES = {"/var/run": "/run"}
"""Symbolic links of most images: the link, and where it leads."""


def check_own_paths(mounts: Iterable[JsonObject]) -> None:
    """Refuse a pod whose collector would mount a volume over, or in, a path of its own.

    Raises:
        PodRefused: names the path, and the path of the collector.
    """
    for mount in mounts:
        written = str(mount["mountPath"])
        path = mounted_at(written)
        own = next((own for own in _OWN if _overlap(path, own)), None)
        if own is not None:
            raise PodRefused(
                Reason.FILE_UNREACHABLE,
                f"the collector would mount volume {mount['name']} at {quoted(written)}, where its"
                f" own {own} is; write the file to a directory such as /data",
            )


def mounted_at(path: str) -> str:
    """Return where a mountPath is, without `..` and doubled slashes, and through known links."""
    path = "/" + normpath(path).lstrip("/")
    for link, target in _ALIASES.items():
        if _within(path, link):
            return target + path[len(link) :]
    return path


def _overlap(path: str, own: str) -> bool:
    return _within(path, own) or _within(own, path)


def _within(path: str, directory: str) -> bool:
    return f"{path}/".startswith(f"{directory.rstrip('/')}/")
