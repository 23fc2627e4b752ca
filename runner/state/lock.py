"""The lock that gives a state directory to one run only."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from api.errors import SetupError

PATIENCE = 20.0
"""Seconds that a run waits for the last processes of the previous run."""
_LOOK = 0.05


@contextmanager
def hold(
    path: Path, patience: float = PATIENCE, sleep: Callable[[float], None] = time.sleep
) -> Iterator[int]:
    """Lock a file; yield the descriptor that holds the lock.

    Processes that inherit the descriptor hold the lock too. After a run was killed, the process
    that ends its containers holds it for a moment.

    Raises:
        SetupError: another run has the lock.
    """
    descriptor = _acquire(path, patience, sleep)
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Return whether a run, or the last process of one, has the lock."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _taken(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _acquire(path: Path, patience: float, sleep: Callable[[float], None]) -> int:
    until = time.monotonic() + patience
    descriptor = _open(path)
    while not (_taken(descriptor, fcntl.LOCK_EX) and is_at(descriptor, path)):
        holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
        os.close(descriptor)
        if _is_alive(holder) or time.monotonic() >= until:
            raise SetupError(
                f"another run (process {holder or 'unknown'}) uses {path.parent}:"
                " end it, or use another --state-dir"
            )
        sleep(_LOOK)
        descriptor = _open(path)  # anew: the directory may have been moved or deleted
    return descriptor


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise SetupError(
            f"cannot lock {path.parent} ({error.strerror}): run the command again, or choose"
            " another directory with --state-dir"
        ) from None


def _taken(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_at(descriptor: int, path: Path) -> bool:
    """Return whether an open file is still at its path: neither deleted nor moved."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def _is_alive(pid: str) -> bool:
    """Return whether a process runs; zombies do not count."""
    try:
        stat = Path(f"/proc/{int(pid)}/stat").read_text(encoding="utf-8", errors="replace")
    except (ValueError, OSError):
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}
