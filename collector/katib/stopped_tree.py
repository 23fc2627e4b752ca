"""Ends a shell's child processes, but not the shell, which still has to write its marker."""

from __future__ import annotations

from collector.core.ports import Clock
from collector.katib.processes import Process, Processes, descendants

GRACE = 30.0
"""Seconds between SIGTERM and SIGKILL: Kubernetes' default grace period."""
LAST = 10.0
"""Seconds after `GRACE` until a shell that keeps starting processes is killed itself."""


class StoppedTree:
    """The descendants of a shell, while they end.

    First the shell's own children get SIGTERM. A process whose parent has ended gets it then, so
    that a trainer can end its own workers. After `GRACE` all of them are killed.
    """

    def __init__(self, shell: Process, processes: Processes, clock: Clock) -> None:
        """Begin the grace period."""
        self._shell = shell
        self._processes = processes
        self._clock = clock
        self._since = clock.monotonic()
        self._descendants: dict[int, Process] = {}
        self._terminated: set[int] = set()

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
            if process.pid not in self._terminated and self._is_due(process):
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

    def _is_due(self, process: Process) -> bool:
        parent = self._descendants.get(process.parent)
        return parent is None or not self._processes.lives(parent)

    def _living(self) -> list[Process]:
        return [process for process in self._descendants.values() if self._processes.lives(process)]
