"""Ends a shell's child processes, but not the shell, which still has to write its marker."""

from __future__ import annotations

from collector.core.ports import Clock
from collector.katib.markers import Markers
from collector.katib.processes import Process, Processes, descendants

GRACE = 30.0
"""Seconds between SIGTERM and SIGKILL: Kubernetes' default grace period."""
LAST = 10.0
"""Seconds after `GRACE` until a shell that keeps starting processes is killed itself."""


class StoppedTree:
    """The descendants of a shell, while they end.

    First the shell's own children get SIGTERM. A process whose parent has ended gets it then, so
    that a trainer can end its own workers. The process with which the shell reads its marker gets
    none: without the marker's word the shell would fail. After `GRACE` all of them are killed.
    """

    def __init__(
        self, shell: Process, markers: Markers, processes: Processes, clock: Clock
    ) -> None:
        """Begin the grace period."""
        self._shell = shell
        self._markers = markers
        self._processes = processes
        self._clock = clock
        self._since = clock.monotonic()
        self._descendants: dict[int, Process] = {}
        self._terminated: set[int] = set()
        self._first: frozenset[int] | None = None
        """The pids of the first look, among them the trainer's."""

    def send_due_signals(self) -> None:
        """Send the signals that are due; call this repeatedly while the shell lives.

        Raises:
            SetupError: the signals are not permitted.
        """
        self._remember_descendants()
        waited = self._clock.monotonic() - self._since
        if waited > GRACE + LAST:
            self._processes.kill(self._shell)
        if waited > GRACE:
            self.kill_what_is_left()
        for process in list(self._descendants.values()):
            if process.pid in self._terminated or not self._is_due(process):
                continue
            if not self._may_read_marker(process):
                self._terminated.add(process.pid)
                self._processes.terminate(process)

    def kill_what_is_left(self) -> None:
        """Kill all descendants that still run."""
        for process in self._descendants.values():
            if self._processes.lives(process):
                self._processes.kill(process)

    def _remember_descendants(self) -> None:
        """Remember all descendants as first seen: an orphan gets another parent."""
        known = (process.pid for process in self._living())
        for process in descendants([self._shell.pid, *known], self._processes.all()):
            old = self._descendants.get(process.pid)
            if old is None or old.started != process.started:
                self._descendants[process.pid] = process
                self._terminated.discard(process.pid)
        if self._first is None:
            self._first = frozenset(self._descendants)

    def _is_due(self, process: Process) -> bool:
        parent = self._descendants.get(process.parent)
        return parent is None or not self._processes.lives(parent)

    def _may_read_marker(self, process: Process) -> bool:
        """Return whether the shell may have started a process to read its marker.

        Before it becomes another program, a fork of the shell has the shell's own words.
        """
        command = self._processes.command(process)
        if self._markers.path(self._shell.pid) in command:
            return True
        is_new = self._first is not None and process.pid not in self._first
        return is_new and process.parent == self._shell.pid and self._markers.words in command

    def _living(self) -> list[Process]:
        return [process for process in self._descendants.values() if self._processes.lives(process)]
