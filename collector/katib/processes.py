"""The processes that we can see: those of the pod, where its containers share them."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from api.errors import SetupError

_PROC = "/proc"
_STATE, _PARENT, _STARTED = 0, 1, 19
"""Places of proc(5)'s fields 3, 4 and 22 behind the program's name."""
_DEAD = "ZX"
_MACHINES_NAMESPACE = 0xEFFFFFFC
"""The inode of the PID namespace in which the kernel starts, its PROC_PID_INIT_INO."""


class Process(NamedTuple):
    """One process. Its number may be another one's later, with another start."""

    pid: int
    parent: int
    """0 for the first process of a container: its parent is outside of the pod."""
    started: int
    """In the kernel's ticks; only good for being compared."""


class Processes(Protocol):
    """What runs, and the means to end it. Zombies have ended."""

    def shared(self) -> bool:
        """Say whether the processes of the pod's other containers are among them for sure."""

    def all(self) -> Sequence[Process]:
        """Return all that run, in the order of their numbers."""

    def command(self, process: Process) -> str:
        """Return its arguments, joined by blanks; empty where nobody may tell."""

    def lives(self, process: Process) -> bool:
        """Say whether it still runs."""

    def terminate(self, process: Process) -> None:
        """Ask it to end; harmless where it has ended.

        Raises:
            SetupError: we may not.
        """

    def kill(self, process: Process) -> None:
        """End it; harmless where it has ended.

        Raises:
            SetupError: we may not.
        """


class KernelProcesses:
    """`Processes` as /proc tells them."""

    def shared(self) -> bool:
        """Say whether we see the machine's processes, or the pod's.

        The former in a pod with `hostPID`, and outside of containers. The latter where the first
        process is not an ancestor: then it is the pod's own, and not our container's.
        """
        if os.stat(f"{_PROC}/self/ns/pid").st_ino == _MACHINES_NAMESPACE:
            return True
        process = _look(os.getpid())
        while process is not None and process.parent:
            process = _look(process.parent)
        return process is not None and process.pid != 1

    def all(self) -> list[Process]:
        """Return all that run."""
        numbers = sorted(int(name) for name in os.listdir(_PROC) if name.isdecimal())
        found = (_look(pid) for pid in numbers)
        return [process for process in found if process is not None]

    def command(self, process: Process) -> str:
        """Return its arguments."""
        text = _read(process.pid, "cmdline").rstrip(b"\0")
        return text.replace(b"\0", b" ").decode("utf-8", "replace")

    def lives(self, process: Process) -> bool:
        """Say whether it still runs."""
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


class MemoryProcesses:
    """`Processes` that are started and ended by hand."""

    def __init__(self) -> None:
        """Begin with none."""
        self._running: dict[int, tuple[Process, str]] = {}
        self._ticks = 0
        self.stubborn: set[int] = set()
        """Numbers of those that take no notice of being asked to end."""
        self.forbidden = False
        """Nobody may be told anything."""
        self.told: list[tuple[str, int]] = []
        """What was sent to whom, in order: `TERM` or `KILL`."""
        self.hidden = False
        """Those of other containers are not seen."""

    def shared(self) -> bool:
        """Say whether they are seen."""
        return not self.hidden

    def start(self, pid: int, parent: int, command: str) -> Process:
        """Start one under a number that is free."""
        self._ticks += 1
        process = Process(pid=pid, parent=parent, started=self._ticks)
        self._running[pid] = process, command
        return process

    def end(self, pid: int) -> None:
        """Let one end; its children are the first process's then."""
        del self._running[pid]
        for process, command in list(self._running.values()):
            if process.parent == pid:
                self._running[process.pid] = process._replace(parent=1), command

    def all(self) -> list[Process]:
        """Return all that run."""
        return [self._running[pid][0] for pid in sorted(self._running)]

    def command(self, process: Process) -> str:
        """Return what it was started with."""
        return self._running[process.pid][1] if self.lives(process) else ""

    def lives(self, process: Process) -> bool:
        """Say whether it still runs."""
        now = self._running.get(process.pid)
        return now is not None and now[0].started == process.started

    def terminate(self, process: Process) -> None:
        """End it, unless it is stubborn."""
        self._tell("TERM", process)
        if process.pid not in self.stubborn and self.lives(process):
            self.end(process.pid)

    def kill(self, process: Process) -> None:
        """End it."""
        self._tell("KILL", process)
        if self.lives(process):
            self.end(process.pid)

    def _tell(self, what: str, process: Process) -> None:
        if self.forbidden:
            raise SetupError("nobody may be told anything")
        self.told.append((what, process.pid))


def descendants(ancestors: Iterable[int], running: Sequence[Process]) -> Iterator[Process]:
    """Give the children of these processes, their children, and so on."""
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
    """Return a process, or None where it is not there or has ended."""
    _, _, told = _read(pid, "stat").rpartition(b")")  # a program's name may have any character
    fields = told.decode("ascii", "replace").split()
    if not fields or fields[_STATE] in _DEAD:
        return None
    return Process(pid=pid, parent=int(fields[_PARENT]), started=int(fields[_STARTED]))


def _read(pid: int, name: str) -> bytes:
    """Return a file of a process; nothing where it has ended, or where we may not look."""
    with contextlib.suppress(OSError), open(f"{_PROC}/{pid}/{name}", "rb") as file:
        return file.read()
    return b""
