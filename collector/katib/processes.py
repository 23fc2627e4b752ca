"""The processes that the collector can see: the pod's, if its containers share them."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from api.errors import SetupError

_PROC = "/proc"
_STATE, _PARENT, _STARTED = 0, 1, 19
"""Indexes of proc(5)'s fields 3, 4 and 22, counted behind the program's name."""
_DEAD = "ZX"
_MACHINE_NAMESPACE = 0xEFFFFFFC
"""The inode of the PID namespace in which the kernel starts, its PROC_PID_INIT_INO."""


class Process(NamedTuple):
    """One process. Another process may later have its pid, but with another start."""

    pid: int
    parent: int
    """The parent's pid; 0 for the first process of a container, whose parent is outside."""
    started: int
    """Start time in the kernel's ticks, to compare."""


class Processes(Protocol):
    """The port to processes. Zombies count as ended."""

    def shared(self) -> bool:
        """Return whether processes of the pod's other containers are certainly visible."""

    def all(self) -> Sequence[Process]:
        """Return all running processes, ordered by pid."""

    def command(self, process: Process) -> str:
        """Return its arguments, joined by blanks; empty if they cannot be read."""

    def lives(self, process: Process) -> bool:
        """Return whether it still runs."""

    def terminate(self, process: Process) -> None:
        """Send SIGTERM; do nothing if it has ended.

        Raises:
            SetupError: it is not permitted.
        """

    def kill(self, process: Process) -> None:
        """Send SIGKILL; do nothing if it has ended.

        Raises:
            SetupError: it is not permitted.
        """


class KernelProcesses:
    """`Processes` from /proc."""

    def shared(self) -> bool:
        """Return whether the machine's processes are visible, or the pod's.

        The machine's are visible in a pod with `hostPID`, and outside of containers. The pod's are
        visible if the first process is not an ancestor: then it is the pod's, not this container's.
        """
        if os.stat(f"{_PROC}/self/ns/pid").st_ino == _MACHINE_NAMESPACE:
            return True
        process = _look(os.getpid())
        while process is not None and process.parent:
            process = _look(process.parent)
        return process is not None and process.pid != 1

    def all(self) -> list[Process]:
        """Return all running processes, ordered by pid."""
        numbers = sorted(int(name) for name in os.listdir(_PROC) if name.isdecimal())
        processes = (_look(pid) for pid in numbers)
        return [process for process in processes if process is not None]

    def command(self, process: Process) -> str:
        """Return its arguments."""
        text = _read(process.pid, "cmdline").rstrip(b"\0")
        return text.replace(b"\0", b" ").decode("utf-8", "replace")

    def lives(self, process: Process) -> bool:
        """Return whether it still runs."""
        now = _look(process.pid)
        return now is not None and now.started == process.started

    def terminate(self, process: Process) -> None:
        """Send SIGTERM."""
        self._send(process, signal.SIGTERM)

    def kill(self, process: Process) -> None:
        """Send SIGKILL."""
        self._send(process, signal.SIGKILL)

    def _send(self, process: Process, number: signal.Signals) -> None:
        if not self.lives(process):
            return
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            return
        except PermissionError as error:
            raise SetupError(
                f"user {os.geteuid()} may not send {number.name} to process {process.pid} of the "
                "trainer: let the collector run as the trainer's user or as root"
            ) from error


def descendants(ancestors: Iterable[int], running: Sequence[Process]) -> Iterator[Process]:
    """Yield the children of these processes, their children, and so on."""
    left = list(ancestors)
    seen = set(left)
    while left:
        parent = left.pop()
        for process in running:
            if process.parent == parent and process.pid not in seen:
                seen.add(process.pid)
                left.append(process.pid)
                yield process


def _look(pid: int) -> Process | None:
    """Return a process, or None if it does not exist or has ended."""
    _, _, text = _read(pid, "stat").rpartition(b")")  # a program's name may have any character
    fields = text.decode("ascii", "replace").split()
    if not fields or fields[_STATE] in _DEAD:
        return None
    return Process(pid=pid, parent=int(fields[_PARENT]), started=int(fields[_STARTED]))


def _read(pid: int, name: str) -> bytes:
    """Return a file of a process; empty if it has ended, or if the file cannot be read."""
    with contextlib.suppress(OSError), open(f"{_PROC}/{pid}/{name}", "rb") as file:
        return file.read()
    return b""
