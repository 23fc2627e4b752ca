"""The trainer of a pod that Katib's own webhook has prepared: a shell, and a marker file.

The webhook makes the trainer's command `sh -c "COMMAND && echo completed > DIR/$$.pid"`, DIR being
the directory of the metrics file, which we share. So the trainer is the process that was started
with those words, and no other process of the pod counts: a network proxy may run on for ever.

| marker          | the process | the trainer                                              |
|-----------------|-------------|----------------------------------------------------------|
| `completed`     | any         | has ended well, long ago perhaps                         |
| any other, none | runs        | runs                                                     |
| `early-stopped` | has ended   | was stopped, and its shell could not say so              |
| any other, none | has ended   | has failed                                               |
| none            | never seen  | has failed if its log was there before we looked again,  |
|                 |             | or when our patience has ended; is else still to come    |

To stop it `early-stopped` is written into the marker, then the shell's child processes are ended.
The shell finds the marker, writes `completed` over it, and ends well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from api.errors import SetupError
from api.names import (
    MARKER_COMPLETED,
    MARKER_EARLY_STOPPED,
    OUTCOME_FAILED,
    OUTCOME_STOPPED,
    OUTCOME_SUCCEEDED,
)
from api.run_directory import AttemptRecord
from collector.core.ports import Clock, End
from collector.katib.markers import Markers
from collector.katib.processes import Process, Processes
from collector.katib.stopped_tree import StoppedTree
from collector.streams.files import FileSystem

PATIENCE = 60.0
"""Seconds until a trainer of which nothing was ever seen counts as failed.

The kubelet starts us after the trainer, or after it could not start it.
"""
_ONLY = 1
"""The number of the one attempt: the kubelet restarts us where it restarts a failed trainer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapped:
    """A trainer that Katib has wrapped, and how long things may take, in seconds."""

    path: str
    """Where it writes its metrics."""
    poll: float = 1.0
    """Between two looks at all processes."""
    timeout: float | None = None
    """Until a trainer that still runs is left to itself."""


class KatibRuns:
    """`collector.core.ports.Runs` by Katib's protocol."""

    def __init__(
        self,
        trainer: Wrapped,
        files: FileSystem,
        processes: Processes,
        clock: Clock,
        tell: Callable[[str], None],
    ) -> None:
        """Watch a trainer; `tell` takes a sentence for the log."""
        self._trainer = trainer
        self._files = files
        self._markers = Markers(trainer.path, files)
        self._processes = processes
        self._clock = clock
        self._tell = tell
        self._since = clock.monotonic()
        self._looked = float("-inf")
        self._traced = False
        """Its log is there: it has begun, be it after we looked for it."""
        self._missed = False
        """It has ended, and nobody has seen it."""
        self._shell: Process | None = None
        self._stop_wanted = False
        self._stopped: StoppedTree | None = None
        self._end: End | None = None

    def started(self) -> Sequence[int]:
        """Return the one attempt, once there is a trace of it, or no more hope.

        Raises:
            SetupError: it has begun, and we cannot see it.
        """
        self._look()
        begun = self._traced or self._shell is not None or self._end is not None
        return (_ONLY,) if begun else ()

    def record(self, attempt: int) -> AttemptRecord | None:
        """Say that all there is in the file is of this attempt: the volume is the pod's own."""
        return AttemptRecord(number=_ONLY, started=0.0) if attempt == _ONLY else None

    def ended(self, attempt: int) -> End | None:
        """Say how it ended, once it has.

        Raises:
            SetupError: it has begun, and we cannot see it.
        """
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
        """End what the trainer's shell has started, now or when it is found."""
        del attempt
        self._stop_wanted = True
        self._look()
        return self._stopped is not None

    def _look(self) -> None:
        """See what has changed."""
        if self._end is not None:
            return
        if self._shell is None:
            self._look_for_shell()
        running = self._shell is not None and self._processes.lives(self._shell)
        said = self._said()  # after the process: what it wrote at its end is there now
        if said == MARKER_COMPLETED:
            self._finish(OUTCOME_STOPPED if self._stopped else OUTCOME_SUCCEEDED)
        elif running and self._shell is not None:
            self._stop_if_wanted(self._shell)
            self._check_timeout()
        elif self._shell is not None or self._missed:
            stopped = said == MARKER_EARLY_STOPPED
            self._finish(OUTCOME_STOPPED if stopped else OUTCOME_FAILED)
        elif not self._traced and self._waited() > PATIENCE:
            self._check_sight()
            self._finish(OUTCOME_FAILED, f"no trainer was seen in {PATIENCE:g} s")

    def _said(self) -> str:
        return (
            self._markers.read_any() if self._shell is None else self._markers.read(self._shell.pid)
        )

    def _look_for_shell(self) -> None:
        """Look at all processes, unless it was done a moment ago."""
        now = self._clock.monotonic()
        if now - self._looked < self._trainer.poll:
            return
        self._looked = now
        self._shell = self._find_shell()
        if self._shell is not None:
            self._tell(f"the trainer is process {self._shell.pid}")
        elif self._traced:
            self._missed = True
        else:
            self._traced = self._files.stat(self._trainer.path) is not None

    def _find_shell(self) -> Process | None:
        """Return the process that was started with the marker's words.

        Not one that it has forked, which has the same words: its parent has them too.
        """
        words = self._markers.words
        found = {
            process.pid: process
            for process in self._processes.all()
            if words in self._processes.command(process)
        }
        first = (process for process in found.values() if process.parent not in found)
        return max(first, key=lambda process: process.started, default=None)

    def _check_sight(self) -> None:
        """Refuse to guess about a trainer that may run where we cannot see it."""
        if not self._processes.shared():
            raise SetupError(
                "the trainer's process cannot be seen: without --run-dir the pod has to have "
                "`shareProcessNamespace: true`, as Katib's webhook sets it"
            )

    def _check_timeout(self) -> None:
        limit = self._trainer.timeout
        if limit is not None and self._waited() > limit:
            cause = f"the trainer still runs after the -timeout of {limit:g} s"
            self._end = End(outcome=OUTCOME_FAILED, cause=cause)

    def _finish(self, outcome: str, cause: str | None = None) -> None:
        if self._missed and outcome == OUTCOME_FAILED:
            self._check_sight()
        self._end = End(outcome=outcome, cause=cause)
        if self._stopped is not None:
            self._obey(self._stopped.kill_what_is_left)

    def _stop_if_wanted(self, shell: Process) -> None:
        """Begin or go on with a stop; take it back where we may not."""
        if not self._stop_wanted:
            return
        if self._stopped is None:
            if not self._obey(lambda: self._markers.write(shell.pid)):
                return
            self._stopped = StoppedTree(shell, self._processes, self._clock)
        if not self._obey(self._stopped.press_on):
            self._stopped = None
            self._markers.remove(shell.pid)  # or a failure would pass for a stop

    def _obey(self, act: Callable[[], None]) -> bool:
        """Do a part of a stop; where we may not, say so and leave the trainer alone."""
        try:
            act()
        except SetupError as error:
            self._stop_wanted = False
            self._tell(f"the trainer cannot be stopped: {error}")
            return False
        return True

    def _waited(self) -> float:
        return self._clock.monotonic() - self._since
