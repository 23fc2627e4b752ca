"""Ending what a shell has started, and the shell not, for it has something to say."""

from __future__ import annotations

from collector.core.ports import Clock
from collector.katib.processes import Process, Processes, descendants

GRACE = 30.0
"""Seconds between asking and killing, as Kubernetes has it where nobody says otherwise."""
LAST = 10.0
"""Seconds more, until a shell that starts one process after the other is killed itself."""


class StoppedTree:
    """A shell's child processes on their way to their end.

    First the shell's own children are asked to end. What loses its parent is asked in its turn:
    a trainer may tidy up its workers by itself. After the grace all of them are killed.
    """

    def __init__(self, shell: Process, processes: Processes, clock: Clock) -> None:
        """Begin with the grace."""
        self._shell = shell
        self._processes = processes
        self._clock = clock
        self._since = clock.monotonic()
        self._family: dict[int, Process] = {}
        self._asked: set[int] = set()

    def press_on(self) -> None:
        """Do what is due; to be called again and again while the shell lives.

        Raises:
            SetupError: we may not end them.
        """
        self._meet()
        waited = self._clock.monotonic() - self._since
        if waited > GRACE + LAST:
            self._processes.kill(self._shell)
        if waited > GRACE:
            self.kill_what_is_left()
        for process in list(self._family.values()):
            if process.pid not in self._asked and self._is_due(process):
                self._asked.add(process.pid)
                self._processes.terminate(process)

    def kill_what_is_left(self) -> None:
        """End those that still run, at once."""
        for process in self._family.values():
            if self._processes.lives(process):
                self._processes.kill(process)

    def _meet(self) -> None:
        """Remember all descendants as they were first seen: an orphan's parent is another's."""
        known = (process.pid for process in self._living())
        for process in descendants([self._shell.pid, *known], self._processes.all()):
            old = self._family.get(process.pid)
            if old is None or old.started != process.started:
                self._family[process.pid] = process
                self._asked.discard(process.pid)

    def _is_due(self, process: Process) -> bool:
        parent = self._family.get(process.parent)
        return parent is None or not self._processes.lives(parent)

    def _living(self) -> list[Process]:
        return [process for process in self._family.values() if self._processes.lives(process)]
