"""The trainer of a pod that Katib's own webhook has prepared: a shell, and a marker file.

The webhook makes the trainer's command `sh -c "COMMAND && echo completed > DIR/$$.pid"`. DIR is the
directory of the metrics file, on a volume that both containers share. So the trainer is the process
with these words in its command line. Other processes of the pod, such as a network proxy, do not
count.

| marker          | the process | the trainer                                              |
|-----------------|-------------|----------------------------------------------------------|
| `completed`     | any         | has succeeded, maybe long ago                            |
| any other, none | runs        | runs                                                     |
| `early-stopped` | has ended   | was stopped, but its shell did not write `completed`     |
| any other, none | has ended   | has failed                                               |
| none            | never seen  | has failed if its log existed at the look before, or     |
|                 |             | after `PATIENCE`; otherwise it has not started yet       |

To stop the trainer, the collector writes `early-stopped` into the marker, then ends the shell's
child processes. The shell finds the marker, writes `completed` over it, and exits with status 0.
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
from collector.core.no_launcher import NoLauncher
from collector.core.ports import AttemptEnd, Clock, MessageLog
from collector.katib.markers import Markers
from collector.katib.processes import Process, Processes
from collector.katib.stopped_tree import StoppedTree
from collector.streams.files import FileSystem

PATIENCE = 60.0
"""Seconds after which a trainer without any trace counts as failed.

The kubelet starts the collector after the trainer, or after the trainer could not start.
"""
_ONLY = 1
"""The attempt's number: when the kubelet restarts a failed trainer, it restarts the collector."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrappedTrainer:
    """A trainer that Katib has wrapped. Times are in seconds."""

    path: str
    """The metrics file."""
    poll: float = 1.0
    """Time between two looks at all processes."""
    timeout: float | None = None
    """Time after which the collector gives up on a trainer that still runs; None: never."""


class KatibTrainer(NoLauncher):
    """`collector.core.ports.Trainer` by Katib's protocol."""

    def __init__(
        self,
        trainer: WrappedTrainer,
        files: FileSystem,
        processes: Processes,
        clock: Clock,
        log: MessageLog,
    ) -> None:
        """Watch a trainer."""
        self._trainer = trainer
        self._files = files
        self._markers = Markers(trainer.path, files)
        self._processes = processes
        self._clock = clock
        self._log = log
        self._since = clock.monotonic()
        self._looked = float("-inf")
        self._traced = False
        """The trainer's log exists, so the trainer has begun."""
        self._missed = False
        """The trainer has ended before the collector saw its process."""
        self._shell: Process | None = None
        self._stop_wanted = False
        self._stopped: StoppedTree | None = None
        self._end: AttemptEnd | None = None

    def started(self) -> Sequence[int]:
        """Return the one attempt once there is a trace of it, or once it counts as failed.

        Raises:
            SetupError: the collector cannot see the trainer's process.
        """
        self._look()
        begun = self._traced or self._shell is not None or self._end is not None
        return (_ONLY,) if begun else ()

    def record(self, attempt: int) -> AttemptRecord | None:
        """Return a record without a file: all bytes on the pod's volume are this attempt's."""
        return AttemptRecord(number=_ONLY, started=0.0) if attempt == _ONLY else None

    def ended(self, attempt: int) -> AttemptEnd | None:
        """Return how the attempt ended; None while it runs.

        Raises:
            SetupError: the collector cannot see the trainer's process.
        """
        del attempt
        self._look()
        return self._end

    def stop(self, attempt: int) -> bool:
        """End the shell's child processes, now or when the shell is found."""
        del attempt
        self._stop_wanted = True
        self._look()
        return self._stopped is not None

    def _look(self) -> None:
        """Update the state from processes and markers."""
        if self._end is not None:
            return
        if self._shell is None:
            self._look_for_shell()
        running = self._shell is not None and self._processes.lives(self._shell)
        marker = self._marker()  # read after the process: a marker written at its end exists now
        if marker == MARKER_COMPLETED:
            self._finish(OUTCOME_STOPPED if self._stopped else OUTCOME_SUCCEEDED)
        elif running and self._shell is not None:
            self._stop_if_wanted(self._shell)
            self._check_timeout()
        elif self._shell is not None or self._missed:
            stopped = marker == MARKER_EARLY_STOPPED
            self._finish(OUTCOME_STOPPED if stopped else OUTCOME_FAILED)
        elif not self._traced and self._waited() > PATIENCE:
            self._check_sight()
            self._finish(OUTCOME_FAILED, f"no trainer was seen in {PATIENCE:g} s")

    def _marker(self) -> str:
        return (
            self._markers.read_any() if self._shell is None else self._markers.read(self._shell.pid)
        )

    def _look_for_shell(self) -> None:
        """Look at all processes, at most once in each poll interval."""
        now = self._clock.monotonic()
        if now - self._looked < self._trainer.poll:
            return
        self._looked = now
        self._shell = self._find_shell()
        if self._shell is not None:
            self._log.note(f"the trainer is process {self._shell.pid}")
        elif self._traced:
            self._missed = True
        else:
            self._traced = self._files.stat(self._trainer.path) is not None

    def _find_shell(self) -> Process | None:
        """Return the process that was started with the marker's words.

        Its forks have the same words, but their parents have them too.
        """
        words = self._markers.words
        matching = {
            process.pid: process
            for process in self._processes.all()
            if words in self._processes.command(process)
        }
        first = (process for process in matching.values() if process.parent not in matching)
        return max(first, key=lambda process: process.started, default=None)

    def _check_sight(self) -> None:
        """Raise SetupError if the trainer may run where the collector cannot see it."""
        if not self._processes.shared():
            raise SetupError(
                "the trainer's process cannot be seen: without --run-dir the pod must have "
                "`shareProcessNamespace: true`, as Katib's webhook sets it"
            )

    def _check_timeout(self) -> None:
        limit = self._trainer.timeout
        if limit is not None and self._waited() > limit:
            cause = f"the trainer still runs after the -timeout of {limit:g} s"
            self._end = AttemptEnd(outcome=OUTCOME_FAILED, cause=cause)

    def _finish(self, outcome: str, cause: str | None = None) -> None:
        if self._missed and outcome == OUTCOME_FAILED:
            self._check_sight()
        self._end = AttemptEnd(outcome=outcome, cause=cause)
        if self._stopped is not None:
            self._try_to(self._stopped.kill_what_is_left)

    def _stop_if_wanted(self, shell: Process) -> None:
        """Begin or continue a stop; cancel it where it is not permitted."""
        if not self._stop_wanted:
            return
        if self._stopped is None:
            if not self._try_to(lambda: self._markers.write(shell.pid)):
                return
            self._stopped = StoppedTree(shell, self._markers, self._processes, self._clock)
        if not self._try_to(self._stopped.send_due_signals):
            self._stopped = None
            self._markers.remove(shell.pid)  # otherwise a failure would count as a stop

    def _try_to(self, act: Callable[[], None]) -> bool:
        """Do a part of a stop; return False, with a log message, where it is not permitted."""
        try:
            act()
        except SetupError as error:
            self._stop_wanted = False
            self._log.write(f"the trainer cannot be stopped: {error}")
            return False
        return True

    def _waited(self) -> float:
        return self._clock.monotonic() - self._since
