"""Being unseen: what was inherited, how the command is started, who is left of it at its end."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from launcher import linux

STDOUT, STDERR = 1, 2
NOT_FOUND = 127
NOT_RUN = 126
_SI_USER = 0
_SI_QUEUE = -1
_ENDED = frozenset({b"Z", b"X"})
_CLEARING = 5.0
"""Seconds for the killed to be gone: one that we may not kill, or that hangs in the kernel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inherited:
    """What this process was started with, and the command is to be started with."""

    environment: tuple[bytes, ...]
    umask: int
    mask: frozenset[int]
    dispositions: Mapping[int, signal.Handlers]
    closed: frozenset[int]
    """Which of 0, 1, 2 were closed."""


def take_over() -> Inherited:
    """Note what was inherited; from here on signals wait to be read, and modes are as given."""
    mask = signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
    # SIGPIPE and SIGXFSZ were changed by Python, which does not tell what they had been.
    unknown = {int(signal.SIGPIPE), int(signal.SIGXFSZ)}
    ignored = {
        int(number)
        for number in signal.valid_signals()
        if signal.getsignal(number) is signal.SIG_IGN
    }
    dispositions = {
        **dict.fromkeys(unknown | {signal.SIGINT, signal.SIGCHLD}, signal.SIG_DFL),
        **dict.fromkeys(ignored - unknown, signal.SIG_IGN),
    }
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, it would take the statuses away
    return Inherited(
        environment=_environment(),
        umask=os.umask(0),
        mask=frozenset(mask),
        dispositions=dispositions,
        closed=frozenset(_plug()),
    )


def _environment() -> tuple[bytes, ...]:
    """Return the block that this process was started with: Python adds LC_CTYPE to its own."""
    with open("/proc/self/environ", "rb") as block:  # noqa: PTH123 - pathlib costs 10 ms
        return tuple(block.read().split(b"\0")[:-1])


def _plug() -> Iterator[int]:
    """Open what is closed of 0, 1 and 2, lest a file of ours take its place."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
            yield descriptor


def become(who: str, command: Sequence[bytes], inherited: Inherited) -> NoReturn:
    """Become the command, with all that was inherited put back; or say why not, and exit."""
    os.umask(inherited.umask)
    for number, disposition in inherited.dispositions.items():
        signal.signal(number, disposition)
    signal.pthread_sigmask(signal.SIG_SETMASK, inherited.mask)
    path = _search_path(inherited.environment)
    fault = _execute(command, path, inherited.environment)
    not_found = fault.errno in {errno.ENOENT, errno.ENOTDIR}
    cause = fault.strerror
    if not_found and b"/" not in command[0]:
        cause = f"not found in PATH={os.fsdecode(path)}"
    elif not_found:
        cause = f"{cause} (the file, or the interpreter that it names)"
    if STDERR not in inherited.closed:
        os.write(STDERR, f"{who}: cannot run {os.fsdecode(command[0])!r}: {cause}\n".encode())
    os._exit(NOT_FOUND if not_found else NOT_RUN)


def _search_path(environment: Sequence[bytes]) -> bytes:
    for entry in environment:
        if entry.startswith(b"PATH="):
            return entry[len(b"PATH=") :]
    return b"/bin:/usr/bin"


def _execute(command: Sequence[bytes], path: bytes, environment: Sequence[bytes]) -> OSError:
    """Do as execvp does, but never hand a file of no known format to /bin/sh."""
    name = command[0]
    if not name:
        return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    if b"/" in name:
        return linux.execute_exactly(name, command, environment)
    passed_over = {errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.ENAMETOOLONG}
    fault = OSError(errno.ENOENT, os.strerror(errno.ENOENT))
    for folder in path.split(b":"):
        found = linux.execute_exactly(os.path.join(folder, name), command, environment)  # noqa: PTH118 - bytes
        if found.errno == errno.EACCES:
            fault = found
        elif found.errno not in passed_over:
            return found
    return fault


def start(
    who: str,
    command: Sequence[bytes],
    inherited: Inherited,
    *,
    session: bool,
    streams: Mapping[int, int],
) -> int:
    """Start the command, its descriptors set as `streams` says; it dies with this process.

    Returns the pid; raises OSError.
    """
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        if session:
            os.setsid()
        linux.die_with_parent(signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(128 + signal.SIGKILL)
        for descriptor, source in streams.items():
            os.dup2(source, descriptor)
        become(who, command, inherited)
    finally:  # whatever went wrong, there must not be two of us
        os._exit(NOT_RUN)


def from_outside(got: linux.Received) -> bool:
    """Tell what somebody sent from what our own failed write raised, and from a child's end."""
    return got.code <= 0 and not (got.code == _SI_USER and got.sender == os.getpid())


def forward(pid: int, got: linux.Received) -> None:
    """Hand a signal on, with the value that came with it."""
    if got.code == _SI_QUEUE:
        linux.send_with_value(pid, got.number, got.value)
    else:
        os.kill(pid, got.number)


def exit_code(status: int) -> int:
    """Return the status that a shell would give: 128 + N for death by signal N."""
    if os.WIFSIGNALED(status):
        return 128 + os.WTERMSIG(status)
    return os.WEXITSTATUS(status)


def signal_others(number: int) -> None:
    """Signal all other processes as PID 1, else all that stem from this one, in any session."""
    this = os.getpid()
    if this == 1:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # none, or none of ours
            os.kill(-1, number)
        return
    parents = {pid: parent for pid, _, parent in _running()}
    for pid in parents:
        above = pid
        while above not in {0, 1, this}:
            above = parents.get(above, 0)
        if above == this != pid:
            try:
                os.kill(pid, number)
            except (ProcessLookupError, PermissionError):
                continue  # ended meanwhile, or not ours to end: kill_others has a limit


def _running() -> Iterator[tuple[int, bytes, int]]:
    """Give the pid, the state and the parent of each process."""
    for name in os.listdir("/proc"):  # noqa: PTH208 - pathlib costs 10 ms
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as stat:  # noqa: PTH123
                text = stat.read()
        except OSError:
            continue
        # pid (name) state ppid: the name may hold anything, parentheses too
        state, parent = text[text.rindex(b")") + 1 :].split()[:2]
        yield int(name), state, int(parent)


def _visitors_run() -> bool:
    """Say whether a process that is not our child runs beside PID 1, and we may end it.

    `kubectl exec` starts such. They are not ours to reap: their state shows that they have ended.
    """
    return os.getpid() == 1 and any(
        pid > 1 and state not in _ENDED and _may_signal(pid) for pid, state, _ in _running()
    )


def _may_signal(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def kill_others() -> int:
    """Kill and reap until no other process runs; returns how many children were killed."""
    until = time.monotonic() + _CLEARING
    killed = 0
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            if not _visitors_run():
                return killed
            pid, status = 0, 0
        if pid:
            killed += os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        elif time.monotonic() >= until:
            sys.stderr.write("launcher: a process of the trainer could not be killed\n")
            return killed
        else:
            signal_others(signal.SIGKILL)
            time.sleep(0.001)
