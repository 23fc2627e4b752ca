"""The port to processes in memory, for tests."""

from __future__ import annotations

from api.errors import SetupError
from collector.katib.processes import Process


class MemoryProcesses:
    """`collector.katib.processes.Processes` that a test starts and ends."""

    def __init__(self) -> None:
        """Begin without processes."""
        self._running: dict[int, tuple[Process, str]] = {}
        self._ticks = 0
        self.stubborn: set[int] = set()
        """Pids of processes that ignore SIGTERM."""
        self.forbidden = False
        """Signals are not permitted."""
        self.sent: list[tuple[str, int]] = []
        """The signals that were sent, in order: `TERM` or `KILL`, and the pid."""
        self.hidden = False
        """The processes of other containers are not visible."""

    def shared(self) -> bool:
        """Return whether the processes of other containers are visible."""
        return not self.hidden

    def start(self, pid: int, parent: int, command: str) -> Process:
        """Start a process with an unused pid."""
        self._ticks += 1
        process = Process(pid=pid, parent=parent, started=self._ticks)
        self._running[pid] = process, command
        return process

    def end(self, pid: int) -> None:
        """End a process; the first process becomes the parent of its children."""
        del self._running[pid]
        for process, command in list(self._running.values()):
            if process.parent == pid:
                self._running[process.pid] = process._replace(parent=1), command

    def all(self) -> list[Process]:
        """Return all processes, ordered by pid."""
        return [self._running[pid][0] for pid in sorted(self._running)]

    def command(self, process: Process) -> str:
        """Return the command line of a process."""
        return self._running[process.pid][1] if self.lives(process) else ""

    def lives(self, process: Process) -> bool:
        """Return whether a process still runs."""
        now = self._running.get(process.pid)
        return now is not None and now[0].started == process.started

    def terminate(self, process: Process) -> None:
        """Send SIGTERM, which ends it unless it is stubborn."""
        self._send("TERM", process)
        if process.pid not in self.stubborn and self.lives(process):
            self.end(process.pid)

    def kill(self, process: Process) -> None:
        """Send SIGKILL, which ends it."""
        self._send("KILL", process)
        if self.lives(process):
            self.end(process.pid)

    def _send(self, signal: str, process: Process) -> None:
        if self.forbidden:
            raise SetupError("signals are not permitted")
        self.sent.append((signal, process.pid))
