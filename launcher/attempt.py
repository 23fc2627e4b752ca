"""An attempt's files in the run directory: set-up before the start, the exit record after it."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from api.names import (
    ATTEMPT_FILE,
    ATTEMPTS_DIR,
    CONTROL_FIFO,
    ERR_SEGMENT,
    EXIT_FILE,
    OUT_SEGMENT,
)
from api.run_directory import TAIL_BYTES, AttemptRecord, ExitRecord, FileBorder
from launcher import linux
from launcher.options import RunOptions
from launcher.processes import STDERR, STDOUT, Inherited
from launcher.streams import Segments, Stream

_NEW = ".new"
_RESERVED = 1024
"""Bytes for the exit record, so that it fits even on a full disk."""
_NUMBER = re.compile(rb'\{"attempt": (\d{1,9})')
_DEADLINE_MARGIN = 10.0
"""Seconds before the pod's deadline at which the hold ends."""


class SetupFailed(Exception):
    """A part of the attempt could not be made: the trainer must run without the launcher."""

    def __init__(self, part: str, fault: OSError) -> None:
        super().__init__(f"cannot make {part}: {fault.strerror}")


@dataclass(slots=True, kw_only=True)
class Attempt:
    """The open files of one attempt."""

    number: int
    folder: bytes
    control: int
    """The FIFO, open for reading and writing. So it never ends while the launcher lives, and
    writers cannot open it afterwards."""
    record: int
    signals: int
    null: int
    deadline_at: float
    """By the monotonic clock; infinite if the pod has no deadline."""
    streams: list[Stream] = field(default_factory=list)
    pipes: dict[int, int] = field(default_factory=dict)
    """The trainer's ends of the pipes: from its descriptor to the launcher's."""

    def write_exit(self, record: ExitRecord) -> None:
        """Write the exit record.

        Raises:
            OSError: it cannot be written.
        """
        text = record.to_json()
        os.pwrite(self.record, text, 0)
        os.ftruncate(self.record, len(text))
        path = _in(self.folder, EXIT_FILE)
        os.rename(path + _NEW.encode(), path)  # noqa: PTH104 - pathlib costs 10 ms


def set_up(options: RunOptions, inherited: Inherited) -> Attempt:
    """Make attempts/N and its files, then write the attempt's record.

    Raises:
        SetupFailed: a part cannot be made.
    """
    with _failing("the run directory"):
        base = _in(options.run_dir, ATTEMPTS_DIR)
        os.makedirs(base, exist_ok=True)  # noqa: PTH103
        number, folder = _next_folder(base, _last(options.run_dir))
    with _failing("the control FIFO"):
        control = _in(folder, CONTROL_FIFO)
        os.mkfifo(control, 0o666)
        opened = os.open(control, os.O_RDWR | os.O_NONBLOCK)
    with _failing("the exit record"):
        record = _write(_in(folder, EXIT_FILE) + _NEW.encode(), b" " * _RESERVED)
    with _failing("a descriptor"):
        attempt = Attempt(
            number=number,
            folder=folder,
            control=opened,
            record=record,
            signals=linux.open_signals(),
            null=os.open(os.devnull, os.O_RDWR),
            deadline_at=_deadline(options),
        )
    if options.capture:
        with _failing("a segment or a pipe"):
            _open_streams(attempt, inherited)
    with _failing("the attempt's record"):
        _write_record(attempt, options)
    return attempt


@contextlib.contextmanager
def _failing(part: str) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        raise SetupFailed(part, fault) from fault


def _in(folder: bytes, name: str) -> bytes:
    return os.path.join(folder, name.encode())  # noqa: PTH118 - bytes, and pathlib costs 10 ms


def _write(path: bytes, text: bytes) -> int:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o666)
    if os.write(descriptor, text) < len(text):
        raise OSError(28, os.strerror(28))
    return descriptor


def _last(run_dir: bytes) -> int:
    try:
        descriptor = os.open(
            _in(run_dir, ATTEMPT_FILE), os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW
        )
    except OSError:
        return 0
    match = _NUMBER.match(os.read(descriptor, 64))
    os.close(descriptor)
    return int(match[1]) if match else 0


def _next_folder(base: bytes, last: int) -> tuple[int, bytes]:
    number = last
    while True:
        number += 1
        folder = _in(base, str(number))
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, 0o777)  # noqa: PTH102
            return number, folder


def _deadline(options: RunOptions) -> float:
    """Return the deadline: it counts from about the time when the pod's volume was made."""
    wall = time.time()
    born = linux.born_at(options.run_dir)
    age = max(0.0, wall - born) if born is not None else 0.0
    return time.monotonic() + options.deadline - age - _DEADLINE_MARGIN


def _open_streams(attempt: Attempt, inherited: Inherited) -> None:
    """Capture 1 and 2; if they are one file, they stay one stream, in one order."""
    segments = Segments(attempt.folder)
    for descriptor, prefix in ((STDOUT, OUT_SEGMENT), (STDERR, ERR_SEGMENT)):
        segments.open_first(prefix)
        if descriptor in inherited.closed:
            continue
        if descriptor == STDERR and STDOUT in attempt.pipes and _one_file():
            attempt.pipes[STDERR] = attempt.pipes[STDOUT]
            continue
        ours, theirs = os.pipe()
        os.set_blocking(ours, False)
        attempt.pipes[descriptor] = theirs
        attempt.streams.append(Stream(prefix, ours, descriptor, segments))


def _one_file() -> bool:
    return os.path.sameopenfile(STDOUT, STDERR)


def _border(path: bytes) -> FileBorder:
    """Return where a file ends, and its last bytes if it can be read.

    Raises:
        OSError: there is no such file.
    """
    status, tail = os.stat(path), b""  # noqa: PTH116
    if stat.S_ISREG(status.st_mode):
        with contextlib.suppress(OSError):
            file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            start = max(0, status.st_size - TAIL_BYTES)
            try:
                tail = os.pread(file, status.st_size - start, start)
            finally:
                os.close(file)
    return FileBorder(inode=status.st_ino, size=status.st_size, tail=tail)


def _write_record(attempt: Attempt, options: RunOptions) -> None:
    """Write the record of the attempt: its number, and where the metrics file ends."""
    file: FileBorder | None = None
    if options.file is not None:
        with contextlib.suppress(OSError):
            file = _border(options.file)
    text = AttemptRecord(number=attempt.number, started=time.time(), file=file).to_json()
    os.close(_write(_in(attempt.folder, ATTEMPT_FILE), text))
    fresh = _in(options.run_dir, f"{ATTEMPT_FILE}.{attempt.number}")
    os.close(_write(fresh, text))
    os.rename(fresh, _in(options.run_dir, ATTEMPT_FILE))  # noqa: PTH104
