"""The trainer of a pod that Katib's own webhook has prepared: a shell, and a marker file.

The webhook makes the trainer's command `sh -c "COMMAND && echo completed > DIR/$$.pid"`, DIR being
the directory of the metrics file, which we share. So the trainer is the process that was started
with those words, and no other process of the pod counts: a network proxy may run on for ever.

| marker          | the process  | the trainer                                   |
|-----------------|--------------|-----------------------------------------------|
| `completed`     | any          | has ended well, long ago perhaps              |
| any other, none | runs         | runs                                          |
| `early-stopped` | has ended    | was stopped, and its shell could not say so   |
| any other, none | has ended    | has failed                                    |
| none            | never seen   | is still to come; see `Began`                 |

To stop it `early-stopped` is written into the marker, then the shell's child processes are ended.
The shell finds the marker, writes `completed` over it, and ends well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from posixpath import dirname, normpath

from api.errors import SetupError
from api.names import (
    MARKER_COMMAND,
    MARKER_COMPLETED,
    MARKER_EARLY_STOPPED,
    MARKER_SUFFIX,
    OUTCOME_FAILED,
    OUTCOME_STOPPED,
    OUTCOME_SUCCEEDED,
)
from api.run_directory import AttemptRecord
from collector.ports import Clock, End, FileSystem
from collector.processes import Process, Processes
from collector.stopped_tree import StoppedTree

PATIENCE = 60.0
"""Seconds until a trainer of which nothing was ever seen counts as failed.

The kubelet starts us after the trainer, or after it has failed to start it.
"""
_ONLY = 1
"""The number of the one attempt: the kubelet restarts us when it restarts the trainer."""


class Began(Enum):
    """What we know of the trainer's beginning."""

    NOT_SEEN = "not seen"
    TRACED = "traced"
    """Its log is there, its process was not: it may have started after we had looked."""
    SEEN = "seen"
    """Its process is known."""
    OVER = "over"
    """It has left its marker, or we have looked again: it must have ended."""


class KatibRuns:
    """`collector.ports.Runs` by Katib's protocol."""

    def __init__(
        self,
        path: str,
        files: FileSystem,
        processes: Processes,
        clock: Clock,
        tell: Callable[[str], None],
        *,
        poll: float = 1.0,
        timeout: float | None = None,
    ) -> None:
        """Watch the trainer that writes its metrics to a path.

        `poll`: seconds between two looks at all processes. `timeout`: seconds until a trainer that
        still runs is left to itself. `tell` takes a sentence for the log.
        """
        self._path = path
        self._directory = normpath(dirname(path)) if dirname(path) else "."
        self._files = files
        self._processes = processes
        self._clock = clock
        self._tell = tell
        self._poll = poll
        self._since = clock.monotonic()
        self._timeout = timeout
        self._looked = float("-inf")
        self._began = Began.NOT_SEEN
        self._shell: Process | None = None
        self._stopping: StoppedTree | None = None
        self._end: End | None = None

    def started(self) -> Sequence[int]:
        """Return the one attempt, once there is a trace of it, or no more hope."""
        self._look()
        return () if self._began is Began.NOT_SEEN and self._end is None else (_ONLY,)

    def record(self, attempt: int) -> AttemptRecord | None:
        """Say that all there is in the file is of this attempt: the volume is the pod's own."""
        return AttemptRecord(number=_ONLY, started=0.0) if attempt == _ONLY else None

    def ended(self, attempt: int) -> End | None:
        """Say how it ended, once it has."""
        del attempt
        self._look()
        return self._end

    def alive(self, attempt: int) -> bool:
        """Return False: nobody listens."""
        del attempt
        return False

    following = alive

    def delivered(self, attempt: int, gave_up: str | None) -> bool:
        """Return False: nobody listens."""
        del attempt, gave_up
        return False

    def stop(self, attempt: int) -> bool:
        """End what the trainer's shell has started. False: it has ended, or we may not."""
        del attempt
        self._look()
        if self._shell is None or self._end is not None:
            return False
        marker = self._marker(self._shell)
        self._files.replace(marker, MARKER_EARLY_STOPPED.encode())
        self._stopping = StoppedTree(self._shell, self._processes, self._clock)
        return self._press_on(marker)

    def _look(self) -> None:
        """See what has changed."""
        if self._end is not None:
            return
        if self._shell is None:
            self._look_for_shell()
        running = self._shell is not None and self._processes.lives(self._shell)
        if running and self._stopping is not None and self._shell is not None:
            self._press_on(self._marker(self._shell))
        found = self._marked()  # after the process: what it wrote at its end is there now
        if found == MARKER_COMPLETED or (not running and self._is_over()):
            self._end = self._ended(found)
            if self._stopping is not None:
                self._stopping.kill_what_is_left()
        elif self._timeout is not None and self._waited() > self._timeout:
            self._end = End(
                outcome=OUTCOME_FAILED, cause=f"the trainer still runs after {self._timeout:g} s"
            )

    def _look_for_shell(self) -> None:
        """Look at all processes, unless it was done a moment ago."""
        now = self._clock.monotonic()
        if now - self._looked < self._poll:
            return
        self._looked = now
        traced = self._began is not Began.NOT_SEEN
        self._shell = self._find_shell()
        if self._shell is not None:
            self._began = Began.SEEN
            self._tell(f"the trainer is process {self._shell.pid}")
        elif traced:
            self._began = Began.OVER  # its log was there before we looked
        elif self._files.stat(self._path) is not None:
            self._began = Began.TRACED

    def _find_shell(self) -> Process | None:
        """Return the process that was started with the marker's words.

        Not one that it has forked, which has the same words: its parent has them too.
        """
        words = f"{MARKER_COMMAND}{_within(self._directory)}"
        found = {
            process.pid: process
            for process in self._processes.all()
            if words in self._processes.command(process)
        }
        first = (process for process in found.values() if process.parent not in found)
        return max(first, key=lambda process: process.started, default=None)

    def _marked(self) -> str:
        """Return what the trainer's marker says; before the trainer is known, any marker."""
        if self._shell is not None:
            return self._read(self._marker(self._shell))
        said = [
            self._read(_within(self._directory) + name)
            for name in self._files.names(self._directory)
            if name.endswith(MARKER_SUFFIX) and name[: -len(MARKER_SUFFIX)].isdecimal()
        ]
        for word in (MARKER_COMPLETED, MARKER_EARLY_STOPPED):
            if word in said:
                return word
        return ""

    def _is_over(self) -> bool:
        """Say whether a trainer that does not run has run."""
        if self._began in (Began.SEEN, Began.OVER):
            return True
        return self._began is Began.NOT_SEEN and self._waited() > PATIENCE

    def _ended(self, marker: str) -> End:
        if marker == MARKER_EARLY_STOPPED or (marker and self._stopping is not None):
            return End(outcome=OUTCOME_STOPPED)
        if marker == MARKER_COMPLETED:
            return End(outcome=OUTCOME_SUCCEEDED)
        seen = self._began is not Began.NOT_SEEN
        return End(
            outcome=OUTCOME_FAILED,
            cause=None if seen else f"no trainer was seen in {PATIENCE:g} s",
        )

    def _press_on(self, marker: str) -> bool:
        """Go on with the stop; take it back where it is not allowed."""
        if self._stopping is None:
            return False
        try:
            self._stopping.press_on()
        except SetupError as error:
            self._tell(f"the trainer cannot be stopped: {error}")
            self._stopping = None
            self._files.unlink(marker)  # or a failure would pass for a stop
            return False
        return True

    def _marker(self, shell: Process) -> str:
        return f"{_within(self._directory)}{shell.pid}{MARKER_SUFFIX}"

    def _read(self, marker: str) -> str:
        text = self._files.read(marker)
        return "" if text is None else text.decode("utf-8", "replace").strip()

    def _waited(self) -> float:
        return self._clock.monotonic() - self._since


def _within(directory: str) -> str:
    """Return what stands before a name in a directory, as Katib's webhook writes it."""
    return "" if directory == "." else f"{directory.rstrip('/')}/"
