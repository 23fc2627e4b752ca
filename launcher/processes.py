"""Inherited state, the start of the command, and the end of the processes that it left."""

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
_KILL_SECONDS = 5.0
"""Seconds to wait for killed processes to end; some cannot be killed, or hang in the kernel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inherited:
    """The state with which this process was started, and with which the command will start."""

    environment: tuple[bytes, ...]
    umask: int
    mask: frozenset[int]
    dispositions: Mapping[int, signal.Handlers]
    closed: frozenset[int]
    """The descriptors of 0, 1, 2 that were closed."""


def note_inherited() -> Inherited:
    """Note the inherited state; block all signals, and clear the umask."""
    mask = signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
    # Python has changed SIGPIPE and SIGXFSZ, and does not provide their old dispositions.
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
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, the kernel drops exit statuses
    return Inherited(
        environment=_environment(),
        umask=os.umask(0),
        mask=frozenset(mask),
        dispositions=dispositions,
        closed=frozenset(_open_closed()),
    )


def _environment() -> tuple[bytes, ...]:
    """Return the environment of this process's start: Python adds LC_CTYPE to `os.environ`."""
    with open("/proc/self/environ", "rb") as block:  # noqa: PTH123 - pathlib costs 10 ms
        return tuple(block.read().split(b"\0")[:-1])


def _open_closed() -> Iterator[int]:
    """Open those of 0, 1 and 2 that are closed, so that no later file gets their number."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
            yield descriptor


def become(program: str, command: Sequence[bytes], inherited: Inherited) -> NoReturn:
    """Become the command, with all inherited state restored; or write why not, and exit."""
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
        os.write(STDERR, f"{program}: cannot run {os.fsdecode(command[0])!r}: {cause}\n".encode())
    os._exit(NOT_FOUND if not_found else NOT_RUN)


def _search_path(environment: Sequence[bytes]) -> bytes:
    for entry in environment:
        if entry.startswith(b"PATH="):
            return entry[len(b"PATH=") :]
    return b"/bin:/usr/bin"


def _execute(command: Sequence[bytes], path: bytes, environment: Sequence[bytes]) -> OSError:
    """Do as execvp does, but never run a file in an unknown format with /bin/sh."""
    name = command[0]
    if not name:
        return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    if b"/" in name:
        return linux.execute_exactly(name, command, environment)
    missing = {errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.ENAMETOOLONG}
    fault = OSError(errno.ENOENT, os.strerror(errno.ENOENT))
    for folder in path.split(b":"):
        result = linux.execute_exactly(os.path.join(folder, name), command, environment)  # noqa: PTH118 - bytes
        if result.errno == errno.EACCES:
            fault = result
        elif result.errno not in missing:
            return result
    return fault


def start(
    program: str,
    command: Sequence[bytes],
    inherited: Inherited,
    *,
    session: bool,
    streams: Mapping[int, int],
) -> int:
    """Start the command, which dies with this process; return its pid.

    `session`: in a session of its own. `streams`: from its descriptors to those of this process.

    Raises:
        OSError: there is no process.
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
        become(program, command, inherited)
    finally:  # after any fault: the child must not continue as a second launcher
        os._exit(NOT_RUN)


def from_outside(received: linux.Received) -> bool:
    """Return whether another process sent the signal: not our failed write, not a child's end."""
    return received.code <= 0 and not (received.code == _SI_USER and received.sender == os.getpid())


def forward_signal(pid: int, received: linux.Received) -> None:
    """Forward a signal, with the value that came with it."""
    if received.code == _SI_QUEUE:
        linux.send_with_value(pid, received.number, received.value)
    else:
        os.kill(pid, received.number)


def exit_code(status: int) -> int:
    """Return the exit status as a shell reports it: 128 + N after signal N."""
    if os.WIFSIGNALED(status):
        return 128 + os.WTERMSIG(status)
    return os.WEXITSTATUS(status)


def signal_others(number: int) -> None:
    """As PID 1 signal all other processes, otherwise all descendants, in any session."""
    this = os.getpid()
    if this == 1:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # none, or not permitted
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
                continue  # ended meanwhile, or not permitted: kill_others has a time limit


def _running() -> Iterator[tuple[int, bytes, int]]:
    """Yield the pid, the state and the parent of each process."""
    for name in os.listdir("/proc"):  # noqa: PTH208 - pathlib costs 10 ms
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as stat:  # noqa: PTH123
                text = stat.read()
        except OSError:
            continue
        # pid (name) state ppid: the name may contain any character, also parentheses
        state, parent = text[text.rindex(b")") + 1 :].split()[:2]
        yield int(name), state, int(parent)


def _foreign_processes_run() -> bool:
    """Return whether a process that is not our child runs beside PID 1, and may be killed.

    `kubectl exec` starts such processes. We cannot reap them: their state shows whether they have
    ended.
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
    """Kill and reap until no other process runs; return how many children were killed."""
    until = time.monotonic() + _KILL_SECONDS
    killed = 0
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            if not _foreign_processes_run():
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
