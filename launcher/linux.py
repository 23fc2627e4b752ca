"""Linux calls that the standard library lacks, by ctypes."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_libc = ctypes.CDLL(None, use_errno=True)

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_AT_FDCWD = -100
_STATX_BTIME = 0x800
_SIGSET_BYTES = 128
# struct signalfd_siginfo: signal, errno, code, pid, ... up to the 64-bit value at offset 48.
_SIGINFO = struct.Struct("=IiiI32xQ72x")
# struct statx: the mask of known fields, and the birth time (seconds, nanoseconds).
_STATX_MASK = struct.Struct("=I")
_STATX_BORN = struct.Struct("=qI")
_STATX_BORN_AT = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One signal, with the kernel's facts about it."""

    number: int
    code: int
    """Its origin: SI_USER (0), SI_QUEUE (-1), ...; the kernel's own signals are above 0."""
    sender: int
    """The sender's pid; 0 for a sender in another pid namespace."""
    value: int
    """The value that came with it if the code is SI_QUEUE."""


def die_with_parent(signal: int) -> None:
    """Let the kernel send a signal to this process when its parent ends."""
    _prctl(_PR_SET_PDEATHSIG, signal)


def adopt_orphans(*, adopt: bool) -> None:
    """Become the parent of every descendant whose own parent ends (a child subreaper)."""
    _prctl(_PR_SET_CHILD_SUBREAPER, int(adopt))


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        raise _failure()


def open_signals() -> int:
    """Return a non-blocking descriptor from which blocked signals are read."""
    every = ctypes.create_string_buffer(b"\xff" * _SIGSET_BYTES, _SIGSET_BYTES)
    descriptor = int(_libc.signalfd(-1, every, os.O_NONBLOCK | os.O_CLOEXEC))
    if descriptor < 0:
        raise _failure()
    return descriptor


def read_signals(descriptor: int) -> Iterator[Received]:
    """Yield the pending signals."""
    while True:
        try:
            info = os.read(descriptor, _SIGINFO.size)
        except BlockingIOError:
            return
        number, _, code, sender, value = _SIGINFO.unpack(info)
        yield Received(number=number, code=code, sender=sender, value=value)


def send_with_value(pid: int, signal: int, value: int) -> None:
    """Send a signal as sigqueue(3) does."""
    if _libc.sigqueue(pid, signal, ctypes.c_void_p(value)) != 0:
        raise _failure()


def born_at(path: bytes) -> float | None:
    """Return when a file was made, in seconds since 1970; None if its file system lacks that."""
    if not hasattr(_libc, "statx"):
        return None
    result = ctypes.create_string_buffer(256)
    failed = _libc.statx(_AT_FDCWD, path, 0, _STATX_BTIME, result)
    (known,) = _STATX_MASK.unpack_from(result.raw)
    if failed or not known & _STATX_BTIME:
        return None
    seconds, nanoseconds = _STATX_BORN.unpack_from(result.raw, _STATX_BORN_AT)
    return float(seconds) + float(nanoseconds) / 1e9


def execute_exactly(path: bytes, argv: Sequence[bytes], environment: Sequence[bytes]) -> OSError:
    """Become the program, with any environment; return only after a failure.

    `os.execve` takes a mapping. It would refuse entries other than NAME=VALUE, and merge repeated
    names.
    """
    _libc.execve(path, _texts(argv), _texts(environment))
    return _failure()


def _texts(texts: Sequence[bytes]) -> ctypes.Array[ctypes.c_char_p]:
    return (ctypes.c_char_p * (len(texts) + 1))(*texts, None)


def _failure() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
