"""A directory for the Unix sockets of a run, which only its user can enter.

A port of loopback is open to all users of the machine: they could write, read and delete metrics.
"""

from __future__ import annotations

import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from api.errors import SetupError

_LONGEST: Final = 92
"""Characters of the directory's path; a socket's path may have 107."""
_PLAIN: Final = re.compile(r"/[\w./+-]*", re.ASCII)
"""gRPC reads the path as a part of a URI."""


@contextmanager
def socket_directory(state: Path) -> Iterator[Path]:
    """Give the directory; it is deleted at the end.

    It is in the state directory, or, if that has a long path or no Unix sockets, in that of
    temporary files.

    Raises:
        SetupError: there is no place for it.
    """
    own = state.resolve() / "sockets"
    shutil.rmtree(own, ignore_errors=True)  # of a run that was killed
    directory = own if _is_made(own) else _temporary()
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def address_of(path: Path) -> str:
    """Return the address of a socket, as gRPC and the collector's flags take it."""
    return f"unix:{path}"


def _is_made(directory: Path) -> bool:
    if not _is_readable(directory):
        return False
    try:
        directory.mkdir(mode=0o700)
    except OSError:
        return False
    if _is_private(directory) and _has_sockets(directory):
        return True
    shutil.rmtree(directory, ignore_errors=True)
    return False


def _temporary() -> Path:
    folders = dict.fromkeys((tempfile.gettempdir(), "/tmp"))  # noqa: S108 - a private directory in it
    for folder in folders:
        try:
            directory = Path(tempfile.mkdtemp(prefix="trialwatch-", dir=folder))
        except OSError:
            continue
        if _is_readable(directory) and _has_sockets(directory):
            return directory
        shutil.rmtree(directory, ignore_errors=True)
    raise SetupError(
        f"cannot make a private directory for sockets in {' or '.join(folders)}: set TMPDIR to a"
        " writable directory with a short path, of letters, digits and `/._+-`"
    )


def _is_readable(directory: Path) -> bool:
    """Return whether a socket in it can be the address of a server."""
    return len(str(directory)) <= _LONGEST and _PLAIN.fullmatch(str(directory)) is not None


def _is_private(directory: Path) -> bool:
    """Return whether the file system keeps modes, so that others cannot enter."""
    return not directory.stat().st_mode & 0o077


def _has_sockets(directory: Path) -> bool:
    """Return whether the file system has Unix sockets."""
    probe = directory / "probe"
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(probe))
        probe.unlink()
    except OSError:
        return False
    return True
